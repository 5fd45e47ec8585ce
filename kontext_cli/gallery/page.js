"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const all = [...byId("images").children];
  const numberOf = new Map(all.map((tile, number) => [tile, number]));
  const anchor = (tile) => tile.firstElementChild;
  let shown = all;

  // ---- filter

  const text = byId("text");
  const selects = [...document.querySelectorAll("label[data-field] select")];
  let words = null;

  function fill(select) {
    const field = select.parentElement.dataset.field;
    const values = [...new Set(all.map((tile) => tile.dataset[field] || ""))].filter(Boolean).sort();
    select.append(...values.map((value) => new Option(value, value)));
    select.parentElement.hidden = values.length < 2;
  }

  function filter() {
    words ??= all.map((tile) => `${tile.textContent} ${tile.dataset.words || ""}`.toLowerCase());
    const wanted = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fields = selects.filter((each) => each.value).map((each) => [each.parentElement.dataset.field, each.value]);
    shown = all.filter((tile, number) =>
      wanted.every((word) => words[number].includes(word)) &&
      fields.every(([field, value]) => tile.dataset[field] === value));
    const kept = new Set(shown);
    for (const tile of all) tile.hidden = !kept.has(tile);
    byId("found").textContent = shown.length === all.length ? "" : `${shown.length.toLocaleString("en")} of ${all.length.toLocaleString("en")}`;
    byId("nothing").hidden = shown.length > 0;
  }

  function showAll() {
    text.value = "";
    for (const each of selects) each.value = "";
    filter();
  }

  let later = 0;
  text.addEventListener("input", () => {
    clearTimeout(later);
    later = setTimeout(filter, all.length > 2000 ? 150 : 0);
  });
  for (const select of selects) {
    fill(select);
    select.addEventListener("change", filter);
  }
  byId("reset").addEventListener("click", () => { showAll(); text.focus(); });

  // ---- one image

  const view = byId("view");
  let entries = null;
  let open = null;

  function element(name, className, content) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (content !== undefined) made.textContent = content;
    return made;
  }

  function image(source, className, description) {
    const made = element("img", className);
    made.alt = description;
    made.src = source;
    return made;
  }

  function frameOf(tile, entry) {
    const thumbnail = tile.querySelector("img");
    const frame = element("div", "frame");
    const [width, height] = entry.size;
    frame.style.setProperty("--ratio", String(width / height));
    frame.style.setProperty("--most", `${Math.max(width, 320)}px`);
    const after = image(thumbnail.src, "after", thumbnail.alt);
    frame.append(after);
    if (entry.image) {
      const full = new Image();
      full.addEventListener("load", () => { after.src = full.src; });
      full.addEventListener("error", () => { byId("said").textContent = "The full image is not where it was."; });
      full.src = anchor(tile).href;
    }
    if (entry.before) addSlider(frame, entry.before);
    return frame;
  }

  function addSlider(frame, source) {
    const before = image(source, "before", "Before the edit");
    const slider = element("input");
    Object.assign(slider, { type: "range", min: 0, max: 100, step: 1, value: 50, id: "split" });
    slider.setAttribute("aria-label", "How much of the image before the edit is shown, in percent");
    const edge = element("span", "edge");
    const left = element("span", "tag left", "before");
    const right = element("span", "tag right", "after");
    const split = () => {
      frame.style.setProperty("--split", `${slider.value}%`);
      left.hidden = slider.value < 12;
      right.hidden = slider.value > 88;
    };
    slider.addEventListener("input", split);
    before.addEventListener("error", () => { for (const each of [before, slider, edge, left, right]) each.remove(); });
    frame.append(before, slider, edge, left, right);
    split();
  }

  function factRow([name, value]) {
    const row = element("dd", "", value);
    if (name === "Seed") row.append(copyButton("seed", value));
    return [element("dt", "", name), row];
  }

  function copyButton(what, value) {
    const button = element("button", "copy", "Copy");
    button.type = "button";
    button.setAttribute("aria-label", `Copy the ${what}`);
    button.addEventListener("click", () => copy(button, value));
    return button;
  }

  function show(tile) {
    entries ??= JSON.parse(byId("entries").textContent);
    open = tile;
    const entry = entries[numberOf.get(tile)];
    const why = tile.querySelector(".why");
    byId("stage").replaceChildren(why ? why.cloneNode(true) : frameOf(tile, entry));
    byId("prompt").textContent = tile.querySelector("figcaption p").textContent;
    byId("facts").replaceChildren(...entry.facts.flatMap(factRow));
    // A line may break before an option, not within its name.
    byId("command").replaceChildren(...entry.command.split(/(?<= )(?=--?[a-z])/).map((part) => element("span", "", part)));
    byId("again").hidden = !entry.command;
    byId("full").parentElement.hidden = !entry.image;
    byId("full").href = anchor(tile).href;
    byId("said").textContent = "";
    const place = shown.indexOf(tile);
    byId("place").textContent = `${(place + 1).toLocaleString("en")} / ${shown.length.toLocaleString("en")}`;
    byId("previous").disabled = place <= 0;
    byId("next").disabled = place === shown.length - 1;
    if (!view.open) {
      view.showModal();
      (byId("split") || byId("close")).focus();
    }
  }

  function step(by) {
    const tile = shown[shown.indexOf(open) + by];
    if (tile) show(tile);
  }

  view.addEventListener("close", () => {
    const tile = open;
    byId("stage").replaceChildren();
    open = null;
    if (tile && !tile.hidden) {
      tile.scrollIntoView({ block: "nearest" });
      anchor(tile).focus();
    }
  });
  byId("previous").addEventListener("click", () => step(-1));
  byId("next").addEventListener("click", () => step(1));
  byId("close").addEventListener("click", () => view.close());
  byId("images").addEventListener("click", (event) => {
    const tile = event.target.closest("figure");
    if (!tile || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (getSelection().toString() && !event.target.closest("a")) return;
    event.preventDefault();
    show(tile);
  });

  // ---- touch

  const stage = byId("stage");
  let touchedAt = null;
  stage.addEventListener("touchstart", (event) => {
    const alone = event.touches.length === 1 && !event.target.closest("input");
    touchedAt = alone ? event.touches[0].clientX : null;
  }, { passive: true });
  stage.addEventListener("touchend", (event) => {
    if (touchedAt === null) return;
    const moved = event.changedTouches[0].clientX - touchedAt;
    touchedAt = null;
    if (Math.abs(moved) > 60) step(moved < 0 ? 1 : -1);
  });

  // ---- copy

  async function copy(button, value) {
    let done = true;
    try {
      await navigator.clipboard.writeText(value);
    } catch {
      const field = element("textarea", "hush");
      field.value = value;
      view.append(field);
      field.select();
      done = document.execCommand("copy");
      field.remove();
      button.focus();
    }
    button.textContent = done ? "Copied" : "Not copied";
    byId("said").textContent = button.textContent;
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  }
  for (const button of document.querySelectorAll("[data-copies]")) {
    button.setAttribute("aria-label", `Copy the ${button.dataset.copies}`);
    button.addEventListener("click", () => copy(button, byId(button.dataset.copies).textContent));
  }

  // ---- keyboard

  function beside(tile, key) {
    const place = shown.indexOf(tile);
    if (key === "ArrowRight") return shown[place + 1];
    if (key === "ArrowLeft") return shown[place - 1];
    const box = tile.getBoundingClientRect();
    const middle = box.left + box.width / 2;
    const by = key === "ArrowDown" ? 1 : -1;
    let best = null, distance = Infinity, top = null;
    for (let at = place + by; at >= 0 && at < shown.length; at += by) {
      const other = shown[at].getBoundingClientRect();
      if (Math.abs(other.top - box.top) < 2) continue;
      top ??= other.top;
      if (Math.abs(other.top - top) > 2) break;
      const away = Math.abs(other.left + other.width / 2 - middle);
      if (away < distance) { best = shown[at]; distance = away; }
    }
    return best;
  }

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const field = event.target.closest("input, select, textarea");
    if (view.open) {
      if (field && field.type === "range") return;
      if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
        event.preventDefault();
        step(event.key === "ArrowRight" ? 1 : -1);
      }
      return;
    }
    if (event.key === "Escape" && (text.value || selects.some((each) => each.value))) {
      event.preventDefault();
      showAll();
      return;
    }
    if (event.key === "/" && !field) {
      event.preventDefault();
      text.focus();
      text.select();
      return;
    }
    const leaves = field === text && (event.key === "ArrowDown" || event.key === "Enter");
    if (field ? !leaves : !event.key.startsWith("Arrow")) return;
    const tile = document.activeElement.closest("figure");
    const next = tile ? beside(tile, event.key) : shown[0];
    if (!next) return;
    event.preventDefault();
    anchor(next).focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  });

  byId("tools").hidden = false;
  byId("keys").hidden = false;
})();
