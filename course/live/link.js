// A button that copies the address at which a page shows what a figure shows here. Python knows the
// address; where the browser lets nobody copy, it stands there to be copied by hand.

export default {
  render({ model, el }) {
    const button = document.createElement("button");
    button.className = "jupyter-button widget-button";
    button.textContent = "Copy a link";
    button.title = "A link to a page that shows this figure, with these settings";
    const said = document.createElement("span");
    said.setAttribute("role", "status");
    button.addEventListener("click", () => model.send({ asked: true }));
    model.on("msg:custom", async ({ address }) => {
      try {
        await navigator.clipboard.writeText(address);
        said.textContent = " Copied.";
      } catch {
        said.textContent = ` ${address}`;
      }
    });
    el.append(button, said);
  },
};
