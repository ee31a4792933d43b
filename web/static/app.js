// What every page does with scripts; without them it works too. Parts of pages come by htmx (docs/pages.md).
"use strict";
(() => {
  const TYPED = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";
  const REST = 30 * 60 * 1000; // after so long without a key or click, an open page asks no more
  let used = Date.now();
  for (const kind of ["pointerdown", "keydown", "focus"]) addEventListener(kind, () => { used = Date.now(); }, true);

  // ---- Live parts: ask only while somebody may look, take nothing that is known, and disturb nobody who is typing ----
  const tags = new WeakMap();
  const isLive = (element) => element?.id === "live";
  const live = () => document.getElementById("live");
  const busy = () => {
    const part = live();
    const focused = document.activeElement;
    if ((part.contains(focused) && focused.matches(TYPED)) || part.querySelector("details[open]:not([data-open]), [aria-invalid=true]")) return true;
    return [...part.querySelectorAll("input, textarea")].some((each) => each.value !== each.defaultValue || each.checked !== each.defaultChecked);
  };
  // The focused link or button, as it is found again in what comes.
  const nameOf = (element) => element.id || [element.tagName, element.matches("summary") && element.parentElement.id, element.getAttribute("href"), element.form?.getAttribute("action"), element.name, element.value].join(" ");
  let focused = null;
  // Folded parts that somebody has opened or closed stay so, whatever comes.
  let folded = new Map();

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (isLive(event.detail.elt) && (document.hidden || Date.now() - used > REST)) event.preventDefault();
  });
  document.addEventListener("htmx:configRequest", (event) => {
    const tag = isLive(event.detail.elt) && tags.get(event.detail.elt);
    if (tag) event.detail.headers["If-None-Match"] = tag;
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const part = event.detail.target;
    if (!isLive(part) || !event.detail.shouldSwap) return;
    if (busy()) {
      event.detail.shouldSwap = false;
      return;
    }
    folded = new Map([...part.querySelectorAll("details[data-open]")].filter((each) => each.open !== (each.dataset.open === "yes")).map((each) => [each.id, each.open]));
    tags.set(part, event.detail.xhr.getResponseHeader("ETag"));
    focused = part.contains(document.activeElement) ? nameOf(document.activeElement) : null;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (!isLive(event.detail.target)) return;
    for (const each of live().querySelectorAll("details[data-open]")) if (folded.has(each.id)) each.open = folded.get(each.id);
    if (focused === null) return;
    const again = [...live().querySelectorAll("a, button, summary, [tabindex]")].find((each) => nameOf(each) === focused);
    again?.focus({ preventScroll: true });
    focused = null;
  });

  // ---- What changes by itself is heard as well: states, statuses and the navigation's numbers. Times run on in silence, and all
  //      that changes within a few seconds is one sentence ----
  const APART = 5000; // ms between two sentences
  const words = (element) => element.textContent.replace(/\s+/g, " ").trim();
  const titleOf = (state) => {
    const row = state.closest("tr, li, article, section");
    const title = row?.querySelector("th[scope=row] bdi, [data-label=Person] bdi, h2 bdi, h3 bdi") ?? row?.querySelector("th[scope=row], h2, h3");
    return title ? words(title) : "";
  };
  const states = () => {
    const known = new Map();
    for (const each of live()?.querySelectorAll(".pill") ?? []) {
      const title = titleOf(each);
      known.set(title, [known.get(title), words(each)].filter(Boolean).join(", "));
    }
    for (const each of live()?.querySelectorAll("[role=status], [data-status]") ?? []) {
      // It would be read again with every answer; whatever is new of it is said here.
      each.removeAttribute("role");
      each.dataset.status = "";
      known.set(words(each), "");
    }
    for (const each of document.querySelectorAll("nav.side .badge:not([hidden])")) {
      known.set(words(each.previousElementSibling), words(each));
    }
    return known;
  };
  let before = new Map();
  let spoken = 0;
  const changes = new Map();
  const speak = () => {
    const said = [...changes].map(([title, state]) => [title, state].filter(Boolean).join(": "));
    changes.clear();
    spoken = Date.now();
    document.getElementById("heard").textContent = said.length > 3 ? `${said.length} changes on this page.` : `${said.join(". ")}.`;
  };
  const listen = () => {
    const now = states();
    for (const [title, state] of now) {
      if (before.get(title) === state) continue;
      if (!changes.size) setTimeout(speak, Math.max(500, spoken + APART - Date.now()));
      changes.set(title, state);
    }
    before = now;
  };
  before = states();
  document.addEventListener("htmx:afterSettle", (event) => { if (isLive(event.detail.target)) listen(); });

  // ---- Menus close with Escape and on a click outside ----
  const menus = () => document.querySelectorAll("details.menu[open]");
  document.addEventListener("click", (event) => {
    for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
  });

  // ---- Fields are inserted into the subject where the cursor was; without scripts they are typed. The editor has its own list ----
  for (const button of document.querySelectorAll("[data-insert]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const subject = document.getElementById("subject");
      subject.setRangeText(button.dataset.insert, subject.selectionStart, subject.selectionEnd, "end");
      subject.focus();
    });
  }

  // ---- A confirmation is a page of its own; here it opens above the page it is about. Both may have a field of one name ----
  const REFERS = ["for", "form", "aria-describedby", "aria-labelledby", "aria-controls"];
  const apart = (part) => {
    const own = new Set([...part.querySelectorAll("[id]")].map((each) => each.id));
    for (const each of part.querySelectorAll("[id]")) each.id = `over-${each.id}`;
    for (const name of REFERS) {
      for (const each of [part, ...part.querySelectorAll(`[${name}]`)]) {
        const ids = each.getAttribute(name);
        if (ids) each.setAttribute(name, ids.split(/\s+/).map((id) => (own.has(id) ? `over-${id}` : id)).join(" "));
      }
    }
  };
  document.addEventListener("click", async (event) => {
    const link = event.target.closest?.("a[data-dialog]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    const answer = await fetch(link.href, { credentials: "same-origin" }).catch(() => null);
    const text = answer?.ok && !answer.redirected ? await answer.text() : "";
    const found = new DOMParser().parseFromString(text, "text/html").querySelector(".dialog");
    if (!found) {
      location.assign(link.href);
      return;
    }
    apart(found);
    const over = document.createElement("dialog");
    over.className = "over";
    over.setAttribute("aria-labelledby", found.getAttribute("aria-labelledby"));
    over.append(document.importNode(found, true));
    document.body.append(over);
    over.addEventListener("close", () => { over.remove(); link.focus(); });
    over.addEventListener("click", (inner) => {
      const back = inner.target.closest("a[data-back]");
      if (back) inner.preventDefault();
      if (back || inner.target === over) over.close();
    });
    over.showModal();
  });

  // ---- Keys; single ones are off while somebody types ----
  const found = () => [...document.querySelectorAll("#found a")];
  const GO = { s: "/sequences", p: "/people", o: "/outbox", m: "/messages", a: "/attention", n: "/notifications" };
  let last = "";
  document.addEventListener("keydown", (event) => {
    const search = document.getElementById("q");
    if (event.key === "Escape") {
      for (const menu of menus()) { menu.open = false; menu.querySelector("summary").focus(); }
      if (search?.form.contains(document.activeElement)) { document.getElementById("found").replaceChildren(); search.focus(); }
      return;
    }
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && search?.form.contains(document.activeElement)) {
      const all = [search, ...found()];
      const at = all.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
      all[(at + all.length) % all.length].focus();
      event.preventDefault();
      return;
    }
    if (event.target.closest?.(TYPED) || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const before = last;
    last = event.key;
    if (event.key === "/" && search) {
      search.focus();
      search.select();
    } else if (before === "g" && GO[event.key]) {
      document.querySelector(`nav.side a[href$="${GO[event.key]}"]`)?.click();
    } else if (event.key === "?") {
      document.querySelector('a[href$="/settings/preferences#keys"]')?.click();
    } else return;
    event.preventDefault();
  });
})();
