// Predictions on the page: a question is a form whose answer locks, and is asked again after the
// reveal, as by predict and revisit in the notebook (course/selfcheck/prediction.py). Answers stay in
// this browser, as lines of the same format, until they are exported (course/selfcheck/answers.py).

(() => {
  const KEY = "very-deep-networks-course/predictions.jsonl";
  const FIELDS = ["format", "notebook", "question", "phase", "option", "text", "answer"]; // of an export
  const ID = /^\d\d[a-z]?-[a-z0-9]+(-[a-z0-9]+)*$/;
  const MOST_BYTES = 5 * 2 ** 20;

  // ---- What is kept ----

  let memory = null; // the lines, where the browser refuses to keep any

  function lines() {
    if (memory !== null) return memory;
    try {
      return (localStorage.getItem(KEY) ?? "").split("\n").filter(Boolean);
    } catch {
      return (memory = []);
    }
  }

  function keep(all) {
    try {
      if (all.length) localStorage.setItem(KEY, `${all.join("\n")}\n`);
      else localStorage.removeItem(KEY);
      memory = null;
    } catch {
      memory = all;
    }
  }

  // The record of a line, or null if it is damaged.
  function parsed(line) {
    let record = null;
    try {
      record = JSON.parse(line);
    } catch {
      return null;
    }
    const whole = (value) => Number.isInteger(value) && value >= 0 && value < 8;
    const fits =
      record?.format === 1 && typeof record.question === "string" && ID.test(record.question) &&
      ["before", "after"].includes(record.phase) && whole(record.option) &&
      typeof record.text === "string" && (record.answer === null || whole(record.answer));
    return fits ? record : null;
  }

  const records = () => lines().map(parsed).filter(Boolean);

  // The records that count: the first "before", the last "after" of each question.
  function counting() {
    const all = new Map();
    for (const record of records()) {
      const name = `${record.question} ${record.phase}`;
      if (record.phase === "after" || !all.has(name)) all.set(name, record);
    }
    return all;
  }

  function lock(question, option) {
    const record = {
      answer: question.answer, format: 1, notebook: question.id.slice(0, 2), option,
      phase: question.phase, question: question.id, text: question.options[option],
      time: new Date().toISOString().replace(/\.\d+/, ""),
    };
    keep([...lines(), JSON.stringify(record)]);
  }

  // As `course quiz export` writes them: those that count, without time, in random order.
  function exported() {
    const places = [...counting().values()].map((record) => [Math.random(), record]);
    places.sort(([a], [b]) => a - b);
    const kept = (record) => Object.fromEntries(FIELDS.map((field) => [field, record[field]]));
    return places.map(([, record]) => `${JSON.stringify(kept(record))}\n`).join("");
  }

  // ---- A question ----

  const lettered = ({ options }, k) => `${"abcdefgh"[k]}) ${options[k]}`;

  function element(name, properties = {}, ...children) {
    const node = Object.assign(document.createElement(name), properties);
    node.append(...children);
    return node;
  }

  // Puts a form in the place of the stored text. Returns show(), which brings it to what is kept.
  function ask(place, number) {
    const question = JSON.parse(place.dataset.question);
    const measured = place.querySelector("details");
    const after = question.phase === "after";
    const status = element("p", { tabIndex: -1 });
    status.setAttribute("role", "status");
    const button = element("button", { textContent: after ? "Answer again" : "Lock my answer" });
    const radios = question.options.map((_, k) =>
      element("input", { type: "radio", name: `prediction-${number}`, value: k }),
    );
    const choices = radios.map((radio, k) => element("label", {}, radio, lettered(question, k)));
    const title = element("b", { textContent: question.title });
    const fields = element("fieldset", {}, element("legend", {}, title, ` ${question.text}`), ...choices);
    const form = element("form", {}, fields, button, status);
    place.replaceChildren(form, ...(measured ? [measured] : []));
    let tries = 0;

    const say = (...sentences) => {
      status.replaceChildren(...sentences.flatMap((sentence) => [sentence, element("br")]).slice(0, -1));
    };

    function close() {
      fields.disabled = true;
      button.hidden = true;
      if (measured) measured.hidden = true; // its words stand in the verdict
    }

    function locked(option) {
      lock(question, option);
      tries += 1;
      if (!after) {
        close();
        say(`Locked: ${lettered(question, option)}. Now go on and see.`);
      } else if (option !== question.answer && tries < 2) {
        button.disabled = true; // until another option is chosen
        say(`${question.options[option]}: that is not what was measured. Look once more at what you saw above, then answer again.`);
      } else {
        close();
        verdict(option);
      }
      status.focus();
      refresh();
    }

    function verdict(option) {
      const before = counting().get(`${question.id} before`);
      const right = option === question.answer ? "which is what was measured" : "which is not so";
      const truth = element("span", {}, ...[...measured.cloneNode(true).childNodes].slice(1));
      const own = before ? [`Before: ${before.text}.`] : [];
      say(...own, `Now: ${question.options[option]}, ${right}.`, truth);
    }

    function show() {
      if (tries > 0) return;
      const record = counting().get(`${question.id} before`);
      const option = record ? question.options.indexOf(record.text) : -1; // -1: the question has changed
      if (after) {
        say(record ? "" : "You have not locked a prediction above. What would you have said? Answer now, and lock the next one before you look.");
      } else if (option >= 0) {
        radios[option].checked = true;
        close();
        const day = /^\d{4}-\d\d-\d\d/.exec(record.time ?? "")?.[0];
        say(`You locked this answer before${day ? ` (${day})` : ""}.`);
      }
    }

    function reopen() {
      tries = 0;
      form.reset();
      fields.disabled = button.hidden = false;
      button.disabled = true;
      if (measured) measured.hidden = false;
      say("");
      show();
    }

    fields.addEventListener("change", () => (button.disabled = false));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const option = radios.findIndex((radio) => radio.checked);
      if (option >= 0) locked(option);
    });
    reopen();
    return { show, reopen };
  }

  // ---- The file ----

  // A section to export, import and forget what is kept. Returns show(), which counts anew.
  function file() {
    const count = element("p");
    const status = element("p");
    status.setAttribute("role", "status");
    const input = element("input", { type: "file", accept: ".jsonl", hidden: true });
    const button = (textContent, press) => {
      const made = element("button", { type: "button", textContent });
      made.addEventListener("click", press);
      return made;
    };

    function save() {
      const text = exported();
      if (!text) return (status.textContent = "There are none yet: lock an answer first.");
      const href = URL.createObjectURL(new Blob([text], { type: "application/x-ndjson" }));
      element("a", { href, download: "predictions.jsonl" }).click();
      setTimeout(() => URL.revokeObjectURL(href), 10_000);
      status.textContent = "Exported, without name and time: hand in the file predictions.jsonl.";
    }

    async function load() {
      const [chosen] = input.files;
      input.value = ""; // so that the same file can be chosen again
      if (!chosen) return;
      if (chosen.size > MOST_BYTES) {
        return (status.textContent = `${chosen.name} is larger than any file of predictions: left out.`);
      }
      const all = (await chosen.text()).split("\n").filter((line) => line.trim());
      const fresh = all.filter(parsed);
      const old = new Set(lines());
      keep([...old, ...fresh.filter((line) => !old.has(line))]);
      const damaged = all.length - fresh.length;
      const left = damaged ? ` ${damaged} of its lines are none and were left out.` : "";
      status.textContent = `${chosen.name}: ${fresh.length} answers read.${left}`;
      questions.forEach(({ reopen }) => reopen());
      refresh();
    }

    function forget() {
      if (!confirm("Forget all predictions in this browser? This cannot be undone.")) return;
      keep([]);
      status.textContent = "Forgotten.";
      questions.forEach(({ reopen }) => reopen());
      refresh();
    }

    input.addEventListener("change", load);
    const title = element("h2", { id: "your-predictions", textContent: "Your predictions" });
    const buttons = element(
      "p", {},
      button("Export my predictions", save),
      button("Import a file", () => input.click()),
      button("Forget them", forget),
      input,
    );
    const section = element("section", { className: "predictions-file" }, title, count, buttons, status);
    section.setAttribute("aria-labelledby", title.id);

    function show() {
      const many = new Set(records().map(({ question }) => question)).size;
      const answers = many === 1 ? "Your answer to 1 question is" : `Your answers to ${many} questions are`;
      const where = memory === null
        ? "kept in this browser, on this device, and nowhere else."
        : "lost when you leave this page, as this browser keeps nothing for it: export them first.";
      const damaged = lines().length - records().length;
      const places = damaged === 1 ? "1 place" : `${damaged} places`;
      const left = damaged ? ` What is kept is damaged in ${places}, which is left out.` : "";
      count.textContent = `${answers} ${where}${left}`;
    }
    return { section, show };
  }

  const places = [...document.querySelectorAll(".prediction[data-question]")];
  const front = document.querySelector("[data-predictions]");
  if (!places.length && !front) return;
  let questions = [];
  const { section, show: count } = file();
  const refresh = () => {
    count();
    questions.forEach(({ show }) => show());
  };
  questions = places.map(ask);
  (front ?? document.querySelector("article")).append(section);
  refresh();
})();
