// Suggestions under the search field, by the ARIA pattern of an editable combobox. htmx fetches them; without this file
// the field is a plain search field.
(() => {
  "use strict";
  if (!window.htmx) return;
  const SHORTEST = 2;
  const byId = (id) => document.getElementById(id);
  const field = () => byId("search");
  const list = () => byId("suggestions");
  const options = () => [...list().querySelectorAll("[role=option]")];
  const marked = () => list().querySelector("[aria-selected=true]");
  const isLongEnough = () => field().value.trim().length >= SHORTEST;
  const isOpen = () => !list().hidden;

  const mark = (option) => {
    marked()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    option ? field().setAttribute("aria-activedescendant", option.id) : field().removeAttribute("aria-activedescendant");
  };
  const show = (open) => {
    list().hidden = !open;
    field().setAttribute("aria-expanded", open);
    mark(null);
  };
  const close = () => {
    htmx.trigger(field(), "htmx:abort");
    show(false);
  };
  const step = (by) => {
    const all = options();
    if (!all.length) return;
    if (!isOpen()) show(true);
    // One place more than there are options: the field itself, before the first and after the last.
    const places = all.length + 1;
    mark(all[(all.indexOf(marked()) + 1 + by + places) % places - 1]);
  };

  // Pages come from the server or out of htmx's history with a plain field.
  const upgrade = () => {
    if (!field()) return;
    const aria = { role: "combobox", "aria-autocomplete": "list", "aria-controls": "suggestions" };
    Object.entries(aria).forEach(([name, value]) => field().setAttribute(name, value));
    list().setAttribute("role", "listbox");
    list().setAttribute("aria-label", "Suggestions");
    list().replaceChildren();
    show(false);
  };
  upgrade();
  document.addEventListener("htmx:historyRestore", upgrade);

  const on = (name, act) => document.addEventListener(name, (event) => event.target === field() && act(event));
  on("input", () => isLongEnough() || (close(), list().replaceChildren()));
  on("htmx:beforeRequest", (event) => isLongEnough() || event.preventDefault());
  on("focusout", close);
  on("keydown", (event) => {
    if (event.isComposing) return;
    const { key } = event;
    if (key === "ArrowDown" || key === "ArrowUp") step(key === "ArrowDown" ? 1 : -1);
    else if (key === "Enter" && isOpen() && marked()) marked().click();
    else if (key === "Escape" && isOpen()) close();
    else return ["Home", "End", "ArrowLeft", "ArrowRight"].includes(key) && mark(null);
    event.preventDefault();
  });
  document.addEventListener("submit", (event) => field()?.form === event.target && close());
  // Pressing the mouse on a suggestion must not take the focus away before the click.
  document.addEventListener("mousedown", (event) => event.target.closest("#suggestions") && event.preventDefault());
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target !== list()) return;
    const found = options().length;
    show(found > 0 && document.activeElement === field() && isLongEnough());
    if (isOpen()) byId("status").textContent = `${found} suggestion${found === 1 ? "" : "s"}`;
  });
})();
