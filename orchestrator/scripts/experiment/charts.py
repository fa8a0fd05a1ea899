"""Charts as SVG, in the colours and with the style sheet of `reward-search plot`: light or dark as the reader's page is."""
import math, pathlib
from xml.sax.saxutils import escape

ASSETS = pathlib.Path(__file__).resolve().parents[2] / "src/web/assets"
WIDTH, LEFT, RIGHT, TOP, BOTTOM = 560.0, 150.0, 20.0, 8.0, 26.0


def round_step(raw):
    """1, 2 or 5 times a power of ten, at least `raw`."""
    power = 10.0 ** math.floor(math.log10(raw))
    return next(f * power for f in (1, 2, 5, 10) if f * power >= raw - 1e-12)


class Scale:
    """A straight line from values, widened to round numbers, to places."""

    def __init__(self, values, places, wanted=5):
        low, high = min(values), max(values)
        if low == high:
            low, high = low - 0.5, high + 0.5
        self.step = round_step((high - low) / wanted)
        self.low, self.high = math.floor(low / self.step + 1e-9) * self.step, math.ceil(high / self.step - 1e-9) * self.step
        self.places = places

    def at(self, value):
        return self.places[0] + (value - self.low) / (self.high - self.low) * (self.places[1] - self.places[0])

    def ticks(self):
        return [self.low + i * self.step for i in range(round((self.high - self.low) / self.step) + 1)]


class Svg:
    def __init__(self, height, told):
        self.height, self.told, self.body = height, told, []

    def line(self, kind, x1, y1, x2, y2):
        self.body.append(f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>')

    def rect(self, kind, x, y, width, height, told=""):
        self.body.append(f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height:.1f}" rx="2"><title>{escape(told)}</title></rect>')

    def dot(self, kind, x, y, told, radius=3.0):
        self.body.append(f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}"><title>{escape(told)}</title></circle>')

    def text(self, kind, anchor, x, y, text):
        self.body.append(f'<text class="{kind}" text-anchor="{anchor}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>')

    def path(self, kind, points):
        self.body.append(f'<path class="{kind}" d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in points)}"/>')

    def finish(self):
        style = (ASSETS / "colours.css").read_text() + (ASSETS / "chart.css").read_text() + "svg { background: var(--panel); padding: 8px; }"
        told = escape(self.told, {'"': "&quot;"})
        return (f'<svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {self.height:.0f}" role="img" aria-label="{told}">'
                f"<style>{style}</style>{''.join(self.body)}</svg>\n")


def short(value):
    return f"{value:.3f}".rstrip("0").rstrip(".")


def by_row(rows, told):
    """One row each: `(name, values, mean, interval)`, values as dots, the mean as a bar on the span of its interval."""
    height = TOP + 30.0 * len(rows) + BOTTOM
    ends = [v for _, values, mean, interval in rows for v in (*values, mean, *(interval or ()))]
    x, svg = Scale(ends, (LEFT, WIDTH - RIGHT)), Svg(height, told)
    for tick in x.ticks():
        svg.line("grid", x.at(tick), TOP, x.at(tick), height - BOTTOM)
        svg.text("tick", "middle", x.at(tick), height - 8, short(tick))
    for i, (name, values, mean, interval) in enumerate(rows):
        middle = TOP + 30.0 * i + 15.0
        svg.text("name", "end", LEFT - 12, middle + 4, name)
        if interval:
            svg.rect("span", x.at(interval[0]), middle - 5, x.at(interval[1]) - x.at(interval[0]), 10, f"{name}: {interval[0]:.3f} to {interval[1]:.3f}")
        svg.rect("peak", x.at(mean) - 1.5, middle - 9, 3, 18, f"{name}: mean F1 {mean:.3f}")
        for seed, value in enumerate(values, 1):
            svg.dot("seed", x.at(value), middle, f"{name}, search {seed}: F1 {value:.3f}")
    return svg.finish()


def by_round(series, told):
    """Lines over rounds: `(name, [(mean, interval), ...])`, each with its intervals as bars."""
    left, right, height = 44.0, 90.0, 280.0
    ends = [v for _, points in series for mean, interval in points for v in (mean, *(interval or ()))]
    y, svg = Scale(ends, (height - BOTTOM, TOP)), Svg(height, told)
    for tick in y.ticks():
        svg.line("grid", left, y.at(tick), WIDTH - right, y.at(tick))
        svg.text("tick", "end", left - 6, y.at(tick) + 3.5, short(tick))
    rounds = max(len(points) for _, points in series)
    place = lambda r: left + (WIDTH - right - left) * (r + 0.5) / rounds
    for r in range(rounds):
        svg.text("tick", "middle", place(r), height - 8, f"round {r + 1}")
    for i, (name, points) in enumerate(series):
        at = [(place(r) + 6 * (i - (len(series) - 1) / 2), y.at(mean)) for r, (mean, _) in enumerate(points)]
        svg.path(f"line line-{i}", at)
        for (cx, cy), (mean, interval) in zip(at, points):
            if interval:
                svg.line(f"line line-{i}", cx, y.at(interval[0]), cx, y.at(interval[1]))
            svg.dot(f"end line-{i}", cx, cy, f"{name}: {mean:.3f}")
        svg.text("tick", "start", WIDTH - right + 6, at[-1][1] + 3.5, name)
    return svg.finish()


def scatter(panels, told):
    """Small charts side by side: `(title, [(x, y, told), ...])`."""
    height, gap = 240.0, 44.0
    width = (WIDTH - RIGHT - gap * len(panels)) / len(panels)
    svg = Svg(height, told)
    for i, (title, points) in enumerate(panels):
        left = gap + i * (width + gap)
        x = Scale([p[0] for p in points], (left, left + width), 4)
        y = Scale([p[1] for p in points], (height - BOTTOM, TOP + 16), 4)
        for tick in y.ticks():
            svg.line("grid", left, y.at(tick), left + width, y.at(tick))
            svg.text("tick", "end", left - 5, y.at(tick) + 3.5, short(tick))
        for tick in x.ticks():
            svg.text("tick", "middle", x.at(tick), height - 8, short(tick))
        svg.text("name", "middle", left + width / 2, TOP + 4, title)
        for px, py, name in points:
            svg.dot("point", x.at(px), y.at(py), name, 3.0)
    return svg.finish()
