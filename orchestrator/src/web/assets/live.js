// Follows a search while it runs. The server says that something has changed; the page then fetches itself and puts the new parts in the
// place of the old ones. All markup comes from the server, which has escaped it; nothing is built out of texts here.
(() => {
  "use strict";
  const main = document.querySelector("main[data-live]");
  for (const select of document.querySelectorAll("select[data-now]")) {
    select.addEventListener("change", () => select.form.requestSubmit());
  }
  if (!main || !window.EventSource) return;

  let busy = false;
  let again = false;

  const place = (element) => element && (element.id ? `#${CSS.escape(element.id)}` : element.getAttribute("href") && `a[href="${CSS.escape(element.getAttribute("href"))}"]`);

  const refresh = async () => {
    if (busy || document.hidden) {
      again = true;
      return;
    }
    busy = true;
    again = false;
    try {
      const answer = await fetch(location.href, { credentials: "same-origin" });
      if (answer.ok) {
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
        for (const old of document.querySelectorAll("[data-part]")) {
          const part = fresh.getElementById(old.id);
          if (!part || part.innerHTML === old.innerHTML) continue;
          const focused = old.contains(document.activeElement) ? place(document.activeElement) : null;
          old.replaceWith(document.adoptNode(part));
          if (focused) part.querySelector(focused)?.focus({ preventScroll: true });
        }
        document.title = fresh.title;
      }
    } catch {
      // The server has ended; the stream below says so.
    }
    busy = false;
    if (again) setTimeout(refresh, 1000);
  };

  const source = new EventSource(main.dataset.live);
  source.addEventListener("changed", refresh);
  source.addEventListener("error", () => document.body.classList.add("cut"));
  source.addEventListener("open", () => {
    if (document.body.classList.contains("cut")) refresh();
    document.body.classList.remove("cut");
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && again) refresh();
  });
})();
