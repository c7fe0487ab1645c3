// Brings the explorers of a page to life: each gets a `model` as anywidget gives one, and no kernel.
// A script of its own for each explorer calls courseExact.define with the text of its module.

(() => {
  if (window.courseExact) return;

  class Model {
    constructor(state) {
      this.state = state;
      this.listeners = {};
    }
    get(name) {
      return this.state[name];
    }
    set(name, value) {
      this.state[name] = value;
      for (const heard of [`change:${name}`, "change"]) {
        for (const listener of this.listeners[heard] ?? []) listener();
      }
    }
    on(event, listener) {
      (this.listeners[event] ??= new Set()).add(listener);
    }
    off(event, listener) {
      this.listeners[event]?.delete(listener);
    }
    save_changes() {} // nobody but the page has the state
  }

  // The explorers of the page in their order: {lesson, element, get(), set(values), state}.
  // get and set: the values of the controls; state(values): words and numbers, once it is alive.
  const places = [...document.querySelectorAll(".course-exact-place")].map((element) => {
    const { lesson, controls, values } = JSON.parse(element.dataset.explorer);
    const model = new Model({ controls, first: values, values: { ...values } });
    const get = () => ({ ...model.get("values") });
    const set = (changes) => model.set("values", { ...model.get("values"), ...changes });
    return { lesson, element, model, get, set };
  });

  async function show(place, address) {
    const { element, model } = place;
    const explorer = (await import(address)).default;
    place.state = explorer.state;
    const still = element.closest(".output").previousElementSibling;
    element.replaceChildren();
    explorer.render({ model, el: element.appendChild(document.createElement("div")) });
    still.hidden = true;
  }

  function define(lesson, text) {
    const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    for (const place of places.filter((one) => one.lesson === lesson && !one.seen)) {
      place.seen = new IntersectionObserver((entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        place.seen.disconnect();
        show(place, address);
      }, { rootMargin: "800px" });
      place.seen.observe(place.element);
    }
  }

  window.courseExact = { define, places };
})();
