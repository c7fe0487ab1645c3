// The page's half of course/picture.py: swap decoded pictures, name the controls.

const INVISIBLE = /[\s\u200b]+/g; // ipywidgets fills an empty label with a zero-width space

function set(node, attribute, value) {
  if (node.getAttribute(attribute) !== value) node.setAttribute(attribute, value);
}

function nameControls(panel) {
  for (const label of panel.querySelectorAll(".widget-label")) {
    const name = label.textContent.replace(INVISIBLE, " ").trim();
    const control = label.parentElement;
    if (!name || !control) continue;
    const readout = control.querySelector(".widget-readout");
    const handles = [...control.querySelectorAll("[role=slider]")];
    handles.forEach((handle, k) => {
      const which = handles.length === 2 ? [" (from)", " (to)"][k] : "";
      set(handle, "aria-label", name + which);
      // The slider says 1.0499999999999998, or the exponent, or an index: say what is shown.
      if (readout && handles.length === 1) set(handle, "aria-valuetext", readout.textContent);
    });
    if (readout) {
      set(readout, "role", "textbox");
      set(readout, "aria-label", `${name} (value)`);
    }
    const several = control.querySelector("input[type=radio], .widget-toggle-button");
    if (several) {
      set(control, "role", several.matches("input") ? "radiogroup" : "group");
      set(control, "aria-label", name);
      continue; // each option has its own label
    }
    for (const field of control.querySelectorAll("input, select, textarea")) {
      set(field, "aria-label", name);
    }
  }
  for (const bar of panel.querySelectorAll(".widget-hprogress .progress-bar")) {
    set(bar, "role", "progressbar");
    set(bar, "aria-label", "progress");
    set(bar, "aria-valuenow", String(Math.round(parseFloat(bar.style.width) || 0)));
  }
}

function render({ model, el }) {
  el.classList.add("course-picture");
  const frame = document.createElement("div");
  frame.className = "course-picture-frame";
  const caption = document.createElement("div");
  caption.className = "course-picture-caption";
  caption.setAttribute("aria-live", "polite");
  const failure = document.createElement("div");
  failure.className = "course-picture-failure";
  failure.setAttribute("role", "alert");
  el.replaceChildren(frame, caption, failure);

  let asked = 0; // pictures that began to decode
  let shown = 0; // the newest of them on the page: an older one that ends later is dropped
  let bytes = null;
  let url = null;

  function words(image) {
    image?.setAttribute("alt", model.get("alt"));
    el.classList.toggle("course-picture-old", model.get("failure") !== "");
    for (const [node, key] of [[caption, "caption"], [failure, "failure"]]) {
      if (node.textContent !== model.get(key)) node.textContent = model.get(key);
    }
  }

  function makeRoom(width, height) {
    frame.style.width = `${width}px`;
    frame.style.aspectRatio = `${width} / ${height}`;
  }

  async function update() {
    const wanted = model.get("png");
    if (!wanted || !wanted.byteLength || wanted === bytes) return words(frame.firstChild);
    bytes = wanted;
    const turn = ++asked;
    const [width, height] = [model.get("width"), model.get("height")];
    if (!frame.firstChild) makeRoom(width, height); // for the first one, before it is decoded
    const next = new Image(width, height);
    const address = URL.createObjectURL(new Blob([wanted], { type: "image/png" }));
    next.src = address;
    try {
      await next.decode();
    } catch {
      URL.revokeObjectURL(address);
      return;
    }
    if (turn < shown) return URL.revokeObjectURL(address);
    shown = turn;
    makeRoom(width, height);
    words(next);
    frame.replaceChildren(next);
    if (url) URL.revokeObjectURL(url);
    url = address;
  }

  model.on("change", update);
  update();

  // The panel is known only once the picture stands in the page.
  const names = new MutationObserver(() => nameControls(panel));
  let panel = null;
  const placed = new ResizeObserver(() => {
    const found = el.closest(".course-live");
    if (!found || found === panel) return;
    names.disconnect();
    panel = found;
    nameControls(panel);
    names.observe(panel, {
      childList: true,
      subtree: true,
      characterData: true,
      attributeFilter: ["aria-valuetext", "aria-valuenow", "style"],
    });
  });
  placed.observe(el);

  return () => {
    model.off("change", update);
    names.disconnect();
    placed.disconnect();
    if (url) URL.revokeObjectURL(url);
  };
}

export default { render };
