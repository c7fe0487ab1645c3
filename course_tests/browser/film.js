// Looks at a live panel in every animation frame, from now until the function it returns is called.
(panel) => {
  const seen = { frames: 0, pictures: 0, blank: 0, jumps: 0 };
  const sizes = new Set();
  let running = true;
  let last = null;
  let height = null;
  const look = () => {
    if (!running) return;
    seen.frames += 1;
    const images = panel.querySelectorAll(".course-picture-frame img, .course-exact-frame");
    const image = images[0];
    const drawn = image?.tagName === "DIV"; // in the page
    const ready = images.length === 1 && (drawn ? image.firstChild : image.complete && image.naturalWidth > 0);
    if (!ready || !image.clientWidth || !image.clientHeight) seen.blank += 1;
    else sizes.add(`${image.clientWidth} x ${image.clientHeight}`);
    const now = drawn ? image.innerHTML : image?.src;
    if (image && now !== last) seen.pictures += 1;
    last = now;
    if (height !== null && height !== panel.clientHeight) seen.jumps += 1;
    height = panel.clientHeight;
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
  return () => {
    running = false;
    return { ...seen, sizes: [...sizes] };
  };
}
