// Defines window.liveBench: single presses and drags on a slider, timed by animation frames.
() => {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));

  function find(name) {
    const labels = [...document.querySelectorAll(".widget-label")];
    const slider = labels.find((label) => label.textContent.trim() === name).parentElement;
    return {
      handle: slider.querySelector("[role=slider]"),
      readout: slider.querySelector(".widget-readout"),
      output: slider.closest(".jp-OutputArea-child"),
    };
  }

  // The picture that is on the screen: `interact` makes a new one each time, and so do we.
  function picture(output) {
    const images = [...output.querySelectorAll("img")].filter(
      (image) => image.complete && image.naturalWidth > 0 && image.clientHeight > 0,
    );
    return images.length ? images[images.length - 1].src : null;
  }

  function press(handle, key) {
    handle.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  }

  async function ready(name) {
    const found = find(name);
    found.output.scrollIntoView({ block: "center" });
    found.handle.focus();
    let before = picture(found.output);
    for (let quiet = 0; quiet < 20; quiet += 1) {
      await frame();
      const now = picture(found.output);
      if (now !== before || now === null) quiet = 0;
      before = now;
    }
    return { ...found, before };
  }

  async function presses(name, key) {
    const times = [];
    for (let k = 0; k < 10; k += 1) {
      const { handle, output, before } = await ready(name);
      const start = performance.now();
      press(handle, key);
      let now = before;
      while (now === before || now === null) {
        await frame();
        now = picture(output);
        if (performance.now() - start > 20000) throw new Error(`no picture from ${name}`);
      }
      times.push(performance.now() - start);
    }
    return times;
  }

  async function drag(name, key) {
    const { handle, readout, output, before } = await ready(name);
    const seen = { pictures: 0, blank: 0, jumps: 0 };
    let last = before;
    let height = output.clientHeight;
    let changed = performance.now();
    let released = Infinity;
    const watch = (async () => {
      while (performance.now() < Math.max(changed, released) + 1500) {
        await frame();
        const now = picture(output);
        if (now === null) seen.blank += 1;
        if (output.clientHeight !== height) seen.jumps += 1;
        height = output.clientHeight;
        if (now !== null && now !== last) {
          last = now;
          changed = performance.now();
          if (released === Infinity) seen.pictures += 1;
        }
      }
    })();
    const start = performance.now();
    for (let k = 0; k < 60; k += 1) {
      await pause(Math.max(0, start + (k * 2000) / 60 - performance.now()));
      press(handle, key);
    }
    released = performance.now();
    await watch;
    const caption = output.querySelector(".course-picture-caption")?.textContent ?? null;
    return { ...seen, settle: changed - released, caption, value: readout.textContent };
  }

  window.liveBench = { presses, drag };
}
