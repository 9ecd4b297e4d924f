// Lists and their filters: what a swap of #results would lose, and when the filters are sent.
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const on = (name, act) => document.addEventListener(name, act);
  const changeOnBlur = (input) =>
    input.addEventListener("blur", () => input.dispatchEvent(new Event("change", { bubbles: true })), { once: true });

  // Carried over a swap: the open drawer and folds, the focus, and what is being typed.
  let kept = null;
  on("htmx:beforeSwap", ({ detail: { target, shouldSwap, requestConfig } }) => {
    const drawer = target.id === "results" && shouldSwap && byId("filter-panel");
    kept = drawer && {
      focus: document.activeElement,
      cause: requestConfig?.triggeringEvent?.target,
      folds: [...target.querySelectorAll("details[open]")],
      isDrawn: "popover" in drawer && drawer.matches(":popover-open"),
      scroll: drawer.scrollTop,
    };
  });
  on("htmx:afterSwap", () => {
    if (!kept) return;
    const { focus, cause, folds, isDrawn, scroll } = kept;
    kept = null;
    folds.forEach((fold) => byId(fold.id)?.setAttribute("open", ""));
    const drawer = byId("filter-panel");
    if (isDrawn && drawer) {
      byId("filter-button").focus({ preventScroll: true }); // where the focus goes when the drawer is closed
      drawer.showPopover();
      drawer.scrollTop = scroll;
    }
    // Where the focus was; a choice that is gone or can no longer be made gives it back to what was changed.
    const found = ({ id }) => id && document.querySelector(`#${CSS.escape(id)}:not(:disabled)`);
    const isStillThere = focus.isConnected && focus !== document.body;
    const again = isStillThere ? focus : found(focus) || (cause && found(cause));
    if (!again) return;
    if (again !== document.activeElement) again.focus({ preventScroll: true });
    if (again.type === "text" && again.id === focus.id && again.value !== focus.value) {
      again.value = focus.value;
      changeOnBlur(again);
    }
  });

  // A choice made while the answer to the last one is on its way goes along with it: that answer would undo it.
  on("change", ({ target }) => target.closest("#results") && window.htmx?.trigger("#results", "htmx:abort"));

  // Filters wait for a price that is still being typed, and their address goes without what was left empty.
  on("htmx:configRequest", (event) => {
    const { elt, formData, triggeringEvent } = event.detail;
    if (elt.id !== "filters") return;
    [...formData].forEach(([name, value]) => value || formData.delete(name));
    const input = document.activeElement;
    const isTyping = input.matches("#results [type=text]") && input.value !== input.defaultValue;
    if (!isTyping || triggeringEvent.type !== "change" || triggeringEvent.target === input) return;
    event.preventDefault();
    changeOnBlur(input);
  });
})();
