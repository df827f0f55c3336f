"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const text = (number) => data.texts[number];
  const NAMES = ["id", "case", "area", "service", "client", "destination", "family", "protocol", "level", "promise",
    "message", "variant"];
  const cells = data.cells.map((row, index) => {
    const cell = { index, mark: data.marks[row[0]], laid: row[NAMES.length + 1] };
    NAMES.forEach((name, i) => { cell[name] = text(row[i + 1]); });
    return cell;
  });
  const byId = new Map(cells.map((cell) => [cell.id, cell]));
  const tiles = [];
  const SHOWN = 100, QUIET = new Set(["passed", "not-applicable", "recorded"]);
  /** A mark is a status, or the kind of mismatch of a failure. */
  const STATUS = (cell) => (QUIET.has(cell.mark[0]) || ["unknown", "known-issue"].includes(cell.mark[0]) ? cell.mark[0] : "failed");

  /** An element; children are elements or text, never markup. */
  function make(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }
  const group = (all, key) => {
    const groups = new Map();
    for (const one of all) {
      const name = key(one);
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push(one);
    }
    return groups;
  };
  const word = (cell) => cell.mark[0].replaceAll("-", " ");
  const axis = (cell) => [cell.family, cell.protocol].filter(Boolean).join(" ") || "any family";
  const glyph = (cell) => make("span", { class: `t ${cell.mark[2]}`, "aria-hidden": "true" }, cell.mark[1]);

  function tile(cell) {
    const label = `${cell.id}: ${word(cell)}`;
    const made = make("button", { class: `t ${cell.mark[2]}`, "data-cell": cell.index, "aria-label": label, title: label,
      tabindex: -1, type: "button" }, cell.mark[1]);
    tiles[cell.index] = made;
    return made;
  }

  /** Service variant by client, one map of one family and protocol. */
  function map(title, members) {
    const columns = [...group(members, (c) => JSON.stringify([c.destination, c.client])).keys()].sort().map(JSON.parse);
    const spans = group(columns, (c) => c[0]);
    const head = make("tr", {}, make("td"));
    const clients = make("tr", {}, make("td"));
    for (const [destination, those] of spans) {
      head.append(make("th", { scope: "colgroup", colspan: those.length }, destination));
      for (const [, client] of those) clients.append(make("th", { scope: "col" }, make("span", {}, client)));
    }
    const body = make("tbody");
    for (const [service, own] of group(members, (c) => c.service)) {
      const row = make("tr", {}, make("th", { scope: "row", title: own[0].variant }, service));
      const at = group(own, (c) => JSON.stringify([c.destination, c.client]));
      columns.forEach((column, i) => {
        const edge = i === 0 || columns[i - 1][0] !== column[0] ? { class: "edge" } : {};
        row.append(make("td", edge, ...(at.get(JSON.stringify(column)) || []).map(tile)));
      });
      body.append(row);
    }
    return make("div", { class: "map" },
      make("table", { class: "grid" }, make("caption", {}, title), make("thead", {}, head, clients), body));
  }

  const sections = [];
  for (const [area, members] of group(cells, (c) => c.area)) {
    const section = make("section", { class: "area", id: `area-${sections.length}` }, make("h3", {}, area));
    for (const [name, own] of group(members.filter((c) => c.laid), (c) => c.case)) {
      if (own.length < 100) { own.forEach((c) => { c.laid = 0; }); continue; }
      const maps = make("div", { class: "maps" });
      for (const [title, those] of group(own, axis)) maps.append(map(title, those));
      section.append(make("p", {}, make("b", {}, name), ` ${own[0].promise}`), maps);
    }
    const rows = make("div", { class: "rows" });
    for (const [name, own] of group(members.filter((c) => !c.laid), (c) => c.case)) {
      rows.append(make("div", {}, make("b", {}, name), make("p", {}, own[0].promise),
        make("span", { class: "tiles" }, ...own.map(tile))));
    }
    section.append(rows);
    const first = section.querySelector("button.t");
    if (first) first.tabIndex = 0;
    sections.push([section, members]);
  }
  document.getElementById("grids").append(...sections.map(([section]) => section));

  function list(into, chosen, shown = SHOWN) {
    const items = chosen.slice(0, shown).map((cell) => make("li", {}, glyph(cell), " ",
      make("a", { href: `#${encodeURIComponent(cell.id)}` }, cell.id), cell.mark[0] === "passed" ? "" : ` ${cell.message}`));
    into.replaceChildren(make("ul", {}, ...items));
    if (chosen.length > shown) {
      const more = make("button", { type: "button" }, `${chosen.length - shown} more`);
      more.addEventListener("click", () => list(into, chosen, shown + 10 * SHOWN));
      into.append(more);
    }
  }

  const form = document.getElementById("filters");
  const matching = document.getElementById("matching");
  let matched = cells;
  for (const name of ["family", "protocol"]) {
    const values = [...new Set(cells.map((c) => c[name]))].filter(Boolean).sort();
    form.elements[name].append(...values.map((value) => make("option", {}, value)));
  }
  function filter() {
    const wanted = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const marks = new Set([...form.querySelectorAll("[aria-pressed=true]")].map((b) => b.dataset.mark));
    const { area, family, protocol } = form.elements;
    const fits = (cell) => {
      if ((marks.size && !marks.has(cell.mark[0])) || (area.value && cell.area !== area.value)) return false;
      if ((family.value && cell.family !== family.value) || (protocol.value && cell.protocol !== protocol.value)) return false;
      if (!wanted.length) return true;
      const all = `${cell.id} ${cell.client} ${cell.promise} ${cell.message} ${cell.variant}`.toLowerCase();
      return wanted.every((one) => all.includes(one));
    };
    matched = cells.filter(fits);
    const on = new Set(matched);
    cells.forEach((cell) => { tiles[cell.index].classList.toggle("off", !on.has(cell)); });
    for (const [section, members] of sections) section.hidden = !members.some((cell) => on.has(cell));
    for (const row of document.querySelectorAll(".rows > div")) row.hidden = !row.querySelector(".t:not(.off)");
    form.querySelector("output").value = `${matched.length} of ${cells.length} cells`;
    if (matching.open) list(matching.querySelector(".cells"), matched);
  }
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => {
    form.querySelectorAll("[aria-pressed]").forEach((b) => b.setAttribute("aria-pressed", "false"));
    setTimeout(filter);
  });
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[aria-pressed]");
    if (!button) return;
    button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
    filter();
  });
  matching.addEventListener("toggle", () => { if (matching.open) list(matching.querySelector(".cells"), matched); });
  for (const part of document.querySelectorAll(".group")) {
    part.addEventListener("toggle", () => list(part.querySelector(".cells"),
      cells.filter((c) => c.case === part.dataset.case && STATUS(c) === part.dataset.status)));
  }
  window.addEventListener("beforeprint", () => document.querySelectorAll(".group").forEach((g) => { g.open = true; }));

  const dialog = document.getElementById("cell");
  /** What a cluster wrote is a link only where it can lead nowhere but to another page. */
  const cite = ([said, url]) => (text(url).startsWith("https://")
    ? make("a", { href: text(url), rel: "noreferrer noopener" }, text(said)) : text(said));
  const CONTROL = (answered) => (answered === null ? "not asked" : answered ? "ok" : "did not answer");
  /** The way of one packet, base chain by base chain; where it diverged is said in words, too. */
  function way([title, stages], number, at) {
    const items = stages.map(([name, rewritten, rules], i) => {
      const here = at[0] === number && at[1] === i;
      const matched = rules.map(([chain, rule, verdict]) => make("li", {}, make("span", { class: "chain" }, `${text(chain)}: `),
        make("code", {}, text(rule)), ...(text(verdict) ? [` → ${text(verdict)}`] : [])));
      return make("li", here ? { class: "here" } : {}, ...(text(rewritten) ? [make("em", {}, text(rewritten)), " "] : []),
        make("span", { class: "stage" }, text(name)), ...(here ? [" ", make("strong", {}, "◀ here it diverged")] : []),
        ...(matched.length ? [make("ul", {}, ...matched)] : []));
    });
    return make("section", {}, make("h4", {}, text(title)), make("ol", { class: "way" }, ...items));
  }
  function* evidence(told) {
    const fold = (title, open, ...inside) => make("details", open ? { open: "" } : {}, make("summary", {}, title), ...inside);
    if (told.ways && told.ways.length) {
      yield fold("The packet's way, when it was dialled once more", true, ...told.ways.map((one, i) => way(one, i, told.at)));
    }
    for (const [node, lines] of told.nodes || []) {
      yield fold(`What ${text(node)} had for this Service`, false, make("pre", {}, text(lines)));
    }
    if (told.pods !== undefined && text(told.pods)) yield fold("The endpoints' pods", false, make("pre", {}, text(told.pods)));
  }
  function show(cell) {
    const told = data.details[cell.index] || {};
    const rows = [["verdict", glyph(cell), ` ${word(cell)}`], ["promise", `${cell.level}: ${cell.promise}`]];
    const say = (name, ...what) => rows.push([name, ...what]);
    for (const source of told.sources || []) say("source", cite(source));
    say("Service", `${cell.service} (${cell.variant})`);
    say("asked", told.asked === undefined ? `${cell.client} → ${cell.destination}, ${axis(cell)}` : text(told.asked));
    if (told.expected !== undefined) say("expected", make("strong", {}, text(told.expected)));
    if (told.observed !== undefined) say("observed", make("strong", {}, text(told.observed)));
    if (cell.message && cell.message !== text(told.observed)) say("message", cell.message);
    if (told.reasons && told.reasons.length) {
      say("because", make("ol", {}, ...told.reasons.map(([why, ...source]) => make("li", {}, text(why), " [", cite(source), "]"))));
    }
    if (told.controls) say("controls", `before ${CONTROL(told.controls[0])}, after ${CONTROL(told.controls[1])}`);
    if (told.issue) {
      const [link, summary, expires] = told.issue;
      say("known issue", cite([summary, link]), ` (${text(link)}), until ${text(expires)}`);
    }
    if (told.diverged !== undefined) say("diverged", make("strong", {}, text(told.diverged)));
    if (told.owed !== undefined && text(told.owed)) say("owed", `the packet ${text(told.owed)}`);
    if (told.untraced !== undefined && text(told.untraced)) say("not traced", text(told.untraced));
    if (text(told.evidence)) say("evidence", make("code", {}, text(told.evidence)));
    const alike = told.ways ? undefined : cells.find((c) => c.case === cell.case && c.mark === cell.mark
      && (data.details[c.index] || {}).ways);
    if (alike) say("evidence", "gathered of ", make("a", { href: `#${encodeURIComponent(alike.id)}` }, alike.id), ", which fails alike");
    if (told.again !== undefined) say("again", make("code", {}, text(told.again)));
    const close = make("button", { type: "button", value: "close", autofocus: "" }, "Close");
    const back = make("button", { type: "button", value: "back" }, "← previous");
    const next = make("button", { type: "button", value: "next" }, "next →");
    const terms = rows.flatMap(([name, ...what]) => [make("dt", {}, name), make("dd", {}, ...what)]);
    const objects = (told.objects || []).map((number, i) => make("details", i ? {} : { open: "" },
      make("summary", {}, "The Service and its slices, as the API had them"), make("pre", {}, text(number))));
    dialog.replaceChildren(make("nav", {}, close, back, next), make("h2", { id: "title" }, cell.id),
      make("dl", {}, ...terms), ...evidence(told), ...objects);
    dialog.dataset.cell = cell.index;
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    history.replaceState(null, "", `#${encodeURIComponent(cell.id)}`);
  }
  /** The next cell that matches the filter and is broken, around the end. */
  function step(by) {
    const all = matched.filter((c) => !QUIET.has(c.mark[0]));
    if (!all.length) return;
    const here = Number(dialog.dataset.cell ?? -1);
    const ahead = by > 0 ? all.find((c) => c.index > here) : all.findLast((c) => c.index < here);
    show(ahead || all.at(by > 0 ? 0 : -1));
  }
  dialog.addEventListener("close", () => {
    history.replaceState(null, "", location.pathname + location.search);
    if (document.activeElement === document.body) focus(tiles[dialog.dataset.cell]);
  });
  dialog.addEventListener("click", ({ target }) => {
    if (target === dialog || target.value === "close") dialog.close();
    else if (target.value) step(target.value === "next" ? 1 : -1);
  });

  /** One tile of an area is in the tab order: the one that was visited last. */
  function focus(to) {
    const area = to.closest(".area");
    area.querySelectorAll(".t[tabindex='0']").forEach((one) => { one.tabIndex = -1; });
    to.tabIndex = 0;
    to.focus();
  }
  function neighbour(from, key) {
    const cell = from.closest("td");
    const along = { ArrowRight: 1, ArrowLeft: -1 }[key];
    if (!cell || along) {
      const all = [...from.closest(".area").querySelectorAll("button.t")].filter((one) => one.offsetParent);
      return all[all.indexOf(from) + (along || { ArrowDown: 1, ArrowUp: -1 }[key])];
    }
    const row = key === "ArrowDown" ? cell.parentElement.nextElementSibling : cell.parentElement.previousElementSibling;
    return row?.cells[cell.cellIndex]?.querySelector("button.t");
  }
  document.getElementById("grids").addEventListener("click", ({ target }) => {
    if (target.dataset.cell) show(cells[target.dataset.cell]);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select")) return;
    if (event.key === "n" || event.key === "p") step(event.key === "n" ? 1 : -1);
    if (!event.key.startsWith("Arrow") || !event.target.matches("button.t")) return;
    const to = neighbour(event.target, event.key);
    if (to) focus(to);
    event.preventDefault();
  });
  function opened() {
    let id = "";
    try { id = decodeURIComponent(location.hash.slice(1)); } catch { return; }
    if (byId.has(id)) show(byId.get(id));
  }
  window.addEventListener("hashchange", opened);
  filter();
  opened();
})();
