// Keys of the page Messages: j and k go from message to message, 1 to 5 file the one in view. Everything works without it.
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

  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.key === "j") go(1);
    else if (event.key === "k") go(-1);
    else if (/^[1-5]$/.test(event.key)) {
      const button = (current() ?? letters()[0])?.querySelectorAll(".classes button")[Number(event.key) - 1];
      if (!button) return;
      button.click();
    } else return;
    event.preventDefault();
  });
})();
