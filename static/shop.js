// What neither HTML nor htmx can do. Every page works without this file.
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);

  // Say when a request htmx made came to nothing. Badge and suggestions load by themselves: their failures concern nobody.
  const say = (words) => {
    const close = Object.assign(document.createElement("button"), { type: "button", textContent: "Close" });
    close.addEventListener("click", hush);
    byId("failed").replaceChildren(Object.assign(document.createElement("span"), { textContent: words }), close);
  };
  const hush = () => byId("failed").replaceChildren();
  const on = (name, act) => document.addEventListener(name, (event) => event.detail.elt?.matches("#cart-link, #search") || act(event));
  on("htmx:sendError", () => say("That did not work: the shop cannot be reached. Look at your connection and try again."));
  on("htmx:timeout", () => say("That did not work: the shop took too long to answer. Please try again."));
  on("htmx:responseError", () => say("That did not work. Please try again, or reload the page to see how things stand."));
  on("htmx:beforeRequest", hush);

  // After a swap: read out what changed, and never leave the keyboard nowhere.
  document.addEventListener("htmx:afterSettle", ({ detail }) => {
    const fresh = byId(detail.target?.id);
    if (!fresh?.dataset.status) return;
    byId("status").textContent = fresh.dataset.status;
    if (fresh.dataset.title) document.title = fresh.dataset.title;
    if (document.activeElement === document.body) fresh.querySelector("[tabindex='-1']")?.focus({ preventScroll: true });
  });

  // A list comes with its filters, so what a swap would lose is carried over: the open drawer and folds, the focus, and what
  // is being typed.
  let kept = null;
  document.addEventListener("htmx:beforeSwap", ({ detail: { target } }) => {
    const drawer = target.querySelector(".drawer");
    kept = drawer && {
      focus: document.activeElement,
      folds: [...target.querySelectorAll("details[open]")],
      isDrawn: "popover" in drawer && drawer.matches(":popover-open"),
      scroll: drawer.scrollTop,
    };
  });
  document.addEventListener("htmx:afterSwap", () => {
    if (!kept) return;
    const { focus, folds, isDrawn, scroll } = kept;
    kept = null;
    folds.forEach((fold) => byId(fold.id)?.setAttribute("open", ""));
    const drawer = document.querySelector("#results .drawer");
    if (isDrawn && drawer) {
      byId("filter-button").focus({ preventScroll: true });  // where the focus goes when the drawer is closed
      drawer.showPopover();
      drawer.scrollTop = scroll;
    }
    const again = focus.id && byId(focus.id);
    if (!again) return;
    if (again !== document.activeElement) again.focus({ preventScroll: true });
    if (again.type === "text" && again.value !== focus.value) {
      again.value = focus.value;
      again.addEventListener("blur", () => again.dispatchEvent(new Event("change", { bubbles: true })), { once: true });
    }
  });

  // An address without what was left empty.
  document.addEventListener("htmx:configRequest", ({ detail: { formData, elt } }) => {
    if (elt.id === "filters") [...formData].forEach(([name, value]) => value || formData.delete(name));
  });

  // The − and + beside a quantity.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-step]");
    if (!button) return;
    const input = button.parentElement.querySelector("input");
    const before = input.value;
    button.dataset.step > 0 ? input.stepUp() : input.stepDown();
    if (input.value !== before) input.dispatchEvent(new Event("change", { bubbles: true }));
  });

  // A form that must go once: the second press waits for the answer to the first.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.hasAttribute("data-once")) return;
    if (form.ariaBusy === "true") event.preventDefault();
    form.ariaBusy = "true";
  });

  // Back brings an old picture of the page: free its forms and ask for the cart's count again.
  const refresh = () => {
    document.querySelectorAll("[data-once]").forEach((form) => (form.ariaBusy = null));
    document.body.dispatchEvent(new Event("cart-changed"));
  };
  addEventListener("pageshow", (event) => event.persisted && refresh());
  document.addEventListener("htmx:historyRestore", refresh);
})();
