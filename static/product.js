// The product page: arrow keys and the close look in the gallery, and what of the head follows a swap to another colour.
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const on = (name, act) => document.addEventListener(name, act);
  const photos = () => [...document.querySelectorAll("#strip a")];
  const thumbs = () => [...document.querySelectorAll(".thumbs a")];
  const shownPlace = () => Math.round(byId("strip").scrollLeft / byId("strip").clientWidth);
  const within = (place) => Math.min(Math.max(place, 0), photos().length - 1);

  const mark = (place) => thumbs().forEach((thumb, at) => (at === place ? thumb.setAttribute("aria-current", "true") : thumb.removeAttribute("aria-current")));
  const show = (place) => {
    const strip = byId("strip");
    strip.scrollTo({ left: photos()[place].offsetLeft - strip.offsetLeft });
    mark(place);
  };

  // The close look: the largest picture over the page; a second click shows it in its full size, to be moved about.
  let dialog = null;
  let place = 0;
  const button = (name, label, act) => {
    const made = Object.assign(document.createElement("button"), { type: "button", className: `zoom-${name}`, ariaLabel: label });
    made.addEventListener("click", act);
    return made;
  };
  const look = (at) => {
    place = within(at);
    const all = photos();
    const image = dialog.querySelector("img");
    dialog.classList.remove("is-close");
    image.src = all[place].href;
    image.alt = all[place].querySelector("img").alt.split(": ")[0];
    dialog.querySelector(".zoom-previous").disabled = place === 0;
    dialog.querySelector(".zoom-next").disabled = place === all.length - 1;
    dialog.classList.toggle("is-single", all.length === 1);
  };
  const open = (at) => {
    dialog = Object.assign(document.createElement("dialog"), { className: "zoom", ariaLabel: "Photographs, large" });
    const image = Object.assign(document.createElement("img"), { width: 1200, height: 1200 });
    const stage = Object.assign(document.createElement("div"), { className: "zoom-stage", tabIndex: 0, role: "group", ariaLabel: "Photograph" });
    stage.append(image);
    stage.addEventListener("click", () => dialog.classList.toggle("is-close"));
    const close = () => dialog.close();
    dialog.append(button("close", "Close", close), stage, button("previous", "Previous photograph", () => look(place - 1)), button("next", "Next photograph", () => look(place + 1)));
    dialog.addEventListener("close", () => {
      dialog.remove();
      show(place);
      photos()[place].focus({ preventScroll: true });
    });
    document.body.append(dialog);
    look(at);
    dialog.showModal();
  };

  on("click", (event) => {
    const isPlain = !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
    const link = isPlain && event.target.closest("#strip a, .thumbs a");
    if (!link) return;
    event.preventDefault();
    link.closest(".thumbs") ? show(thumbs().indexOf(link)) : open(photos().indexOf(link));
  });
  on("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || event.ctrlKey || event.metaKey || event.altKey) return;
    if (dialog?.open) {
      if (dialog.classList.contains("is-close")) return; // the arrows move the large picture
      look(place + by);
    } else {
      const list = [photos(), thumbs()].find((links) => links.includes(document.activeElement));
      if (!list) return;
      const next = within(list.indexOf(document.activeElement) + by);
      show(next);
      list[next].focus({ preventScroll: true });
    }
    event.preventDefault();
  });
  document.addEventListener("scroll", ({ target }) => target.id === "strip" && mark(within(shownPlace())), { capture: true, passive: true });

  // The shared page knows the stock alone: less what is in this visitor's cart already, which comes with the cart's mark.
  on("htmx:configRequest", ({ detail }) => {
    if (detail.elt.id === "cart-link" && byId("product-id")) detail.parameters.product_id = byId("product-id").value;
  });
  on("htmx:oobAfterSwap", ({ detail }) => {
    const input = byId("quantity");
    if (detail.target.id !== "in-cart" || !input) return;
    const most = byId("in-cart").querySelector("[data-more]")?.dataset.more ?? input.getAttribute("max");
    input.max = Math.max(1, most);
    if (+input.value > +input.max) input.value = input.max;
  });

  // Sharing reads the head's canonical address, which no swap of the body touches.
  const follow = () => {
    const canonical = document.querySelector("link[rel=canonical]");
    if (canonical && byId("product")) canonical.href = new URL(byId("product").dataset.path, canonical.href);
  };
  on("htmx:historyRestore", follow);
  on("htmx:afterSettle", ({ detail }) => {
    if (detail.target?.id !== "product") return;
    follow();
    document.body.dispatchEvent(new Event("cart-changed"));
  });
})();
