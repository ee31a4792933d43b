// Keys of Messages and of Waiting for your approval: j and k go from one to the next, 1 to 5 file the one in view, and what has a
// data-key is pressed by that key. Never a letter that follows g (app.js). Everything works without it.
"use strict";
(() => {
  const letters = () => [...document.querySelectorAll("[data-message]")];
  const current = () => document.activeElement?.closest("[data-message]");

  function go(step) {
    const all = letters();
    const at = all.indexOf(current());
    const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step];
    if (next) {
      next.focus({ preventScroll: true });
      next.scrollIntoView({ block: "start" });
    }
  }

  const keyed = (key) => current()?.querySelector(`[data-key="${key}"] :is(a, button)`);

  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.key === "j") go(1);
    else if (event.key === "k") go(-1);
    else if (/^[a-z]$/.test(event.key) && keyed(event.key)) keyed(event.key).click();
    else if (/^[1-5]$/.test(event.key)) {
      const button = (current() ?? letters()[0])?.querySelectorAll(".classes button")[Number(event.key) - 1];
      if (!button) return;
      button.click();
    } else return;
    event.preventDefault();
  });
})();
