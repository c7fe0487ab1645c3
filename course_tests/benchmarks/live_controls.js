// Defines window.liveWalk: changes one control, again and again, and times the changed picture.
() => {
  const frame = () => new Promise((done) => requestAnimationFrame(done));

  function find(root, name) {
    const drawn = root.querySelector(`.course-exact-controls [aria-label="${name}"]`);
    if (drawn) return drawn.parentElement;
    for (const label of root.querySelectorAll(".widget-label, .widget-label-basic")) {
      if (label.textContent.replace(/[\s\u200b]+/g, " ").trim() === name) {
        return label.closest(".widget-inline-hbox, .widget-checkbox") ?? label.parentElement;
      }
    }
    throw new Error(`no control named ${name}`);
  }

  function picture(root) {
    const drawn = root.querySelector(".course-exact-frame");
    if (drawn) return drawn.innerHTML || null;
    const images = [...root.querySelectorAll("img")].filter(
      (image) => image.complete && image.naturalWidth > 0 && image.clientHeight > 0,
    );
    return images.length ? images[images.length - 1].src : null;
  }

  function handleOf(control) {
    return control.querySelector("[role=slider], input[type=range]");
  }

  // To a place far away, another for each number k >= 1: by the golden ratio, within the range.
  function jump(control, k) {
    const share = (0.37 + 0.618034 * k) % 1;
    const range = control.querySelector("input[type=range]");
    if (range) {
      const [least, most] = [Number(range.min), Number(range.max)];
      range.value = least + Math.round(share * (most - least));
      range.dispatchEvent(new Event("input", { bubbles: true }));
      return;
    }
    const base = control.querySelector(".noUi-base");
    const { left, width, top, height } = base.getBoundingClientRect();
    const at = {
      clientX: left + share * width, clientY: top + height / 2,
      button: 0, buttons: 1, bubbles: true, cancelable: true,
    };
    base.dispatchEvent(new MouseEvent("mousedown", at));
    document.dispatchEvent(new MouseEvent("mouseup", { ...at, buttons: 0 }));
  }

  // Two steps up, two back, two down, two back: to both sides of where it stood, and there in the
  // end, for the next control is to be tried from the first values of the others. (Four steps up
  // of depth and weight, and a chain blows up at whatever rate.) At an end it turns round.
  function change(control, k) {
    const way = (k + 2) % 8 < 4 ? 1 : -1;
    const handle = control.querySelector("[role=slider]");
    if (handle) {
      const press = (key) =>
        handle.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
      const [least, most, now] = ["min", "max", "now"].map((name) =>
        Number(handle.getAttribute(`aria-value${name}`)),
      );
      const back = way > 0 ? now >= most : now <= least;
      press(way > 0 === back ? "ArrowLeft" : "ArrowRight");
      return;
    }
    const range = control.querySelector("input[type=range]");
    if (range) {
      const now = Number(range.value);
      range.value = now + way;
      if (Number(range.value) === now) range.value = now - way;
      range.dispatchEvent(new Event("input", { bubbles: true }));
      return;
    }
    const list = control.querySelector("select");
    if (list) {
      list.selectedIndex = (list.selectedIndex + way + list.options.length) % list.options.length;
      list.dispatchEvent(new Event("change", { bubbles: true }));
      return;
    }
    control.querySelector("input[type=checkbox]").click();
  }

  async function quiet(root, frames) {
    let before = picture(root);
    for (let still = 0; still < frames; still += 1) {
      await frame();
      const now = picture(root);
      if (now !== before || now === null) still = 0;
      before = now;
    }
    return before;
  }

  // Milliseconds until the picture was another; those that change nothing are left out. Ours may
  // train meanwhile, and are drawn every quarter of a second: no such picture may be taken for the
  // answer, so it begins after a longer silence.
  // far: 0, or the number of the first jump: the same for both, who then stand at the same places.
  // begun: how many steps were made before.
  async function walk([selector, index, name, times, far = 0, begun = 0]) {
    const root = document.querySelectorAll(selector)[index];
    root.scrollIntoView({ block: "center" });
    const control = find(root, name);
    const measured = [];
    for (let k = 0; k < times; k += 1) {
      const before = await quiet(root, selector === ".course-live" ? 36 : 15);
      const start = performance.now();
      if (far) jump(control, far + k);
      else change(control, begun + k);
      let now = before;
      while ((now === before || now === null) && performance.now() - start < 5000) {
        await frame();
        now = picture(root);
      }
      if (now !== before && now !== null) measured.push(performance.now() - start);
    }
    return measured;
  }

  window.liveWalk = walk;
  window.liveJumps = (name) =>
    handleOf(find(document.querySelector(".course-live"), name)) !== null;
}
