// Staff pages: what HTML cannot do. Every page works without this file.
(() => {
  "use strict";
  // Leaving a page with a form that was changed and not saved asks first. Forms opt in with data-guard.
  const snapshot = (form) => JSON.stringify([...new FormData(form)].map(([name, value]) => [name, value.name ?? value]));
  const guarded = new Map();
  for (const form of document.querySelectorAll("form[data-guard]")) {
    guarded.set(form, snapshot(form));
    form.addEventListener("submit", () => guarded.delete(form));
  }
  addEventListener("beforeunload", (event) => {
    for (const [form, before] of guarded) if (snapshot(form) !== before) event.preventDefault();
  });

  // Wherever nothing is being typed, "/" leads to the search field, and a letter follows the link that names it in data-key.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    const isSearch = event.key === "/";
    const target = document.querySelector(isSearch ? "[data-search]" : `[data-key="${CSS.escape(event.key)}"]`);
    if (!target) return;
    event.preventDefault();
    if (!isSearch) return target.click();
    target.focus();
    target.select();
  });

  // The box in a table's head ticks all rows.
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-all]")) return;
    for (const box of event.target.closest("form, table").querySelectorAll("tbody input[type=checkbox]")) box.checked = event.target.checked;
  });
})();
