//! SVG, written element by element.

use std::fmt::Write as _;

use crate::web::escape::escaped;

/// A point.
pub(super) type At = (f64, f64);

/// A drawing under way.
pub(super) struct Svg {
    size: (f64, f64),
    body: String,
}

/// A text in a drawing.
pub(super) struct Label<'a> {
    pub(super) class: &'a str,
    /// `start`, `middle` or `end`.
    pub(super) anchor: &'a str,
    pub(super) at: At,
    pub(super) text: &'a str,
}

impl Svg {
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self {
            size: (width, height),
            body: String::new(),
        }
    }

    fn put(&mut self, element: std::fmt::Arguments<'_>) {
        let _ = self.body.write_fmt(element);
    }

    pub(super) fn line(&mut self, class: &str, (x1, y1): At, (x2, y2): At) {
        self.put(format_args!(
            r#"<line class="{class}" x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}"/>"#
        ));
    }

    pub(super) fn rect(&mut self, class: &str, (x, y): At, (width, height): At) {
        let (width, height) = (width.max(0.0), height.max(0.0));
        self.put(format_args!(
            r#"<rect class="{class}" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" rx="2"/>"#
        ));
    }

    /// A rectangle; what it stands for shows when the pointer rests on it.
    pub(super) fn told_rect(&mut self, class: &str, (x, y): At, (width, height): At, told: &str) {
        let told = escaped(told);
        self.put(format_args!(
            r#"<rect class="{class}" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" rx="1"><title>{told}</title></rect>"#
        ));
    }

    /// A dot; what it stands for shows when the pointer rests on it.
    pub(super) fn dot(&mut self, class: &str, (x, y): At, radius: f64, told: &str) {
        let told = escaped(told);
        self.put(format_args!(
            r#"<circle class="{class}" cx="{x:.1}" cy="{y:.1}" r="{radius}"><title>{told}</title></circle>"#
        ));
    }

    /// A dot that leads somewhere.
    pub(super) fn linked_dot(
        &mut self,
        (class, href): (&str, &str),
        at: At,
        radius: f64,
        told: &str,
    ) {
        let (href, told_here) = (escaped(href), escaped(told));
        self.put(format_args!(
            r#"<a href="{href}" aria-label="{told_here}">"#
        ));
        self.dot(class, at, radius, told);
        self.put(format_args!("</a>"));
    }

    /// A curve that leaves and arrives level.
    pub(super) fn curve(&mut self, class: &str, (x1, y1): At, (x2, y2): At) {
        let middle = f64::midpoint(x1, x2);
        self.put(format_args!(
            r#"<path class="{class}" d="M{x1:.1} {y1:.1}C{middle:.1} {y1:.1} {middle:.1} {y2:.1} {x2:.1} {y2:.1}"/>"#
        ));
    }

    pub(super) fn path(&mut self, class: &str, points: &[At]) {
        let mut d = String::new();
        for (i, (x, y)) in points.iter().enumerate() {
            let _ = write!(d, "{}{x:.1} {y:.1}", if i == 0 { 'M' } else { 'L' });
        }
        self.put(format_args!(r#"<path class="{class}" d="{d}"/>"#));
    }

    pub(super) fn text(&mut self, label: &Label<'_>) {
        let Label {
            class,
            anchor,
            at: (x, y),
            text,
        } = label;
        let text = escaped(text);
        self.put(format_args!(
            r#"<text class="{class}" text-anchor="{anchor}" x="{x:.1}" y="{y:.1}">{text}</text>"#
        ));
    }

    /// The drawing, which says in words what it shows.
    pub(super) fn finish(self, told: &str) -> String {
        self.finish_as("img", told)
    }

    /// A drawing with links in it, which an image could not have.
    pub(super) fn finish_with_links(self, told: &str) -> String {
        self.finish_as("group", told)
    }

    fn finish_as(self, role: &str, told: &str) -> String {
        let Self {
            size: (width, height),
            body,
        } = self;
        let told = escaped(told);
        format!(
            r#"<svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="{role}" aria-label="{told}">{body}</svg>"#
        )
    }

    /// A drawing that only repeats figures that stand beside it.
    pub(super) fn finish_as_ornament(self, class: &str) -> String {
        let Self {
            size: (width, height),
            body,
        } = self;
        format!(
            r#"<svg class="{class}" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" aria-hidden="true" focusable="false">{body}</svg>"#
        )
    }
}
