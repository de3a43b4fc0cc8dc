"use strict";

const field = document.getElementById("search");
const status = document.getElementById("status");
const nothing = document.getElementById("nothing");
const list = document.getElementById("options");

// Read once: a key press then looks at plain text alone.
const options = Array.from(list.children, (element, number) => {
  const path = element.querySelector(".name").textContent.toLowerCase();
  const names = steps(path);
  return { element, number, path, names, last: names.at(-1), text: element.textContent.toLowerCase() };
});

// The names of a path, whose quotes may hold dots.
function steps(path) {
  const parts = path.match(/"(?:\\.|[^"\\])*"?|[^."]+/g) ?? [];
  return parts.map((part) => part.replace(/^"|"$/g, ""));
}

// Whether what a host would write leads to an option, or to what it is in, as far as it is typed.
function leads(path, names) {
  const fits = (step, at) =>
    names[at].startsWith("<") || names[at] === "*" || names[at] === step ||
    (at === path.length - 1 && names[at].startsWith(step));
  return path.length > 1 && path.length <= names.length && path.every(fits);
}

// As `cairn options` does: every word, as a path, as a name, in the last one, in the path, or anywhere.
function rank(option, words) {
  let worst = 0;
  for (const word of words) {
    const path = steps(word);
    const one =
      leads(path, option.names) ? (path.length === option.names.length ? 0 : 1)
      : option.last === word ? 0
      : option.names.includes(word) ? 1
      : option.last.includes(word) ? 2
      : option.path.includes(word) ? 3
      : option.text.includes(word) ? 4
      : null;
    if (one === null) return null;
    worst = Math.max(worst, one);
  }
  return worst;
}

function search() {
  const words = field.value.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const found = [];
  for (const option of options) {
    const worst = rank(option, words);
    if (worst !== null) found.push({ option, worst });
  }
  found.sort((a, b) => a.worst - b.worst || a.option.number - b.option.number);
  list.replaceChildren(...found.map((one) => one.option.element));
  document.body.classList.toggle("searching", words.length > 0);
  const total = options.length === 1 ? "1 option" : `${options.length} options`;
  status.textContent = words.length > 0 ? `${found.length} of ${total}` : total;
  nothing.hidden = found.length > 0;
  mark(words, found);
}

// Marks the words in names, where the browser can do so without changing the page.
function mark(words, found) {
  if (!("highlights" in CSS)) return;
  const ranges = [];
  for (const { option } of words.length > 0 ? found.slice(0, 80) : []) {
    const walker = document.createTreeWalker(option.element.querySelector("summary"), NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const text = node.data.toLowerCase();
      for (const word of words) {
        for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) {
          const range = new Range();
          range.setStart(node, at);
          range.setEnd(node, at + word.length);
          ranges.push(range);
        }
      }
    }
  }
  CSS.highlights.set("found", new Highlight(...ranges));
}

// The address keeps what is looked for, so that it can be passed on.
function remember() {
  const words = field.value.trim();
  history.replaceState(null, "", words === "" ? location.pathname + location.search : `#q=${encodeURIComponent(words)}`);
}

function follow() {
  let hash = location.hash.slice(1);
  try {
    hash = decodeURIComponent(hash);
  } catch {
    // Not ours: taken as it stands.
  }
  if (hash.startsWith("q=")) {
    field.value = hash.slice(2);
    search();
    return;
  }
  const option = options.find((one) => one.element.id === hash)?.element;
  if (option === undefined) return;
  if (!option.isConnected) {
    field.value = "";
    search();
  }
  option.open = true;
  option.scrollIntoView();
  option.querySelector("summary").focus({ preventScroll: true });
}

function move(by) {
  const shown = Array.from(list.querySelectorAll(".option > summary"));
  const at = shown.indexOf(document.activeElement.closest?.(".option")?.querySelector("summary"));
  const next = at + by;
  if (next < 0) return field.focus();
  shown[Math.min(next, shown.length - 1)]?.focus();
}

field.addEventListener("input", () => {
  search();
  remember();
  scrollTo(0, 0);
});

addEventListener("hashchange", follow);

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = document.activeElement === field;
  if (event.key === "Escape") {
    field.value = "";
    search();
    remember();
    field.focus();
  } else if (event.key === "/" && !typing) {
    field.focus();
    field.select();
  } else if (event.key === "ArrowDown") {
    move(1);
  } else if (event.key === "ArrowUp" && !typing) {
    move(-1);
  } else if (event.key === "Enter" && typing) {
    const first = list.firstElementChild;
    if (first !== null) location.hash = first.id;
    return;
  } else {
    return;
  }
  event.preventDefault();
});

follow();
// Browsers go to the anchor once more when the page is there, and forget what has the focus.
addEventListener("load", () => setTimeout(follow));
