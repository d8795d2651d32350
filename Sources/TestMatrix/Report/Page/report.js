"use strict";
(() => {
  const form = document.getElementById("filter");
  const text = document.getElementById("text");
  const shown = document.getElementById("shown");
  const toggles = [...document.querySelectorAll(".toggle")];
  const cells = [...document.querySelectorAll("details.cell")].map((element) => ({
    element,
    name: element.dataset.cell.toLowerCase(),
    wasOpen: false,
    tables: [...element.querySelectorAll("table.tests")].map((table) => ({
      element: table,
      rows: [...table.querySelectorAll("tr[data-v]")].map((row) => ({ element: row, verdict: row.dataset.v, text: null })),
      area: table.caption.textContent.toLowerCase(),
    })),
  }));
  const failures = [...document.querySelectorAll("tr[data-v] details.failure")];
  let isFiltered = false;

  // Evidence is not searched: it would match everything.
  const rowText = (row) => {
    if (row.text === null) {
      const name = row.element.querySelector(".failure > summary") || row.element.querySelector(".name");
      row.text = name.textContent.toLowerCase();
    }
    return row.text;
  };

  const apply = () => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const verdicts = new Set(toggles.filter((b) => b.getAttribute("aria-pressed") === "true").map((b) => b.dataset.verdict));
    const filtering = words.length > 0 || verdicts.size < toggles.length;
    let count = 0, total = 0;
    for (const cell of cells) {
      if (filtering && !isFiltered) cell.wasOpen = cell.element.open;
      let inCell = 0;
      for (const table of cell.tables) {
        let inTable = 0;
        for (const row of table.rows) {
          const place = cell.name + " " + table.area;
          const match = verdicts.has(row.verdict) && words.every((word) => place.includes(word) || rowText(row).includes(word));
          row.element.hidden = !match;
          if (match) inTable += 1;
        }
        total += table.rows.length;
        table.element.hidden = inTable === 0;
        inCell += inTable;
      }
      cell.element.hidden = inCell === 0;
      if (filtering) cell.element.open = inCell > 0;
      else if (isFiltered) cell.element.open = cell.wasOpen;
      count += inCell;
    }
    isFiltered = filtering;
    const unlisted = Number(shown.dataset.unlisted);
    const all = unlisted > 0 ? `${total} tests, and ${unlisted} that are not listed` : `${total} tests`;
    shown.textContent = filtering ? `${count} of ${all}` : all;
  };

  const reset = () => {
    text.value = "";
    for (const button of toggles) button.setAttribute("aria-pressed", "true");
    apply();
  };

  const onlyFailures = () => {
    for (const button of toggles) button.setAttribute("aria-pressed", String(button.classList.contains("failed")));
    apply();
  };

  // Unfolds what a link leads to, and everything around it.
  const reveal = (target, isFocused) => {
    if (!target) return;
    if (isFiltered && target.closest("[hidden]")) reset();
    for (let element = target; element; element = element.parentElement) {
      if (element.tagName === "DETAILS") element.open = true;
    }
    for (const row of document.querySelectorAll("tr.here")) row.classList.remove("here");
    if (target.tagName === "TR") target.classList.add("here");
    const failure = target.querySelector(":scope > td > details.failure");
    if (failure) failure.open = true;
    target.scrollIntoView({ block: "start" });
    const focus = (failure || target).querySelector("summary");
    if (isFocused && focus) focus.focus({ preventScroll: true });
  };
  const followHash = () => reveal(document.getElementById(decodeURIComponent(location.hash.slice(1))), true);

  const step = (by) => {
    const visible = failures.filter((element) => !element.closest("[hidden]"));
    if (visible.length === 0) return;
    const here = visible.findIndex((element) => element.closest("tr").classList.contains("here"));
    const next = here < 0 ? (by > 0 ? 0 : visible.length - 1) : (here + by + visible.length) % visible.length;
    reveal(visible[next].closest("tr"), true);
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") { reset(); text.blur(); return; }
    if (event.target.closest("input")) return;
    switch (event.key) {
      case "/": text.focus(); event.preventDefault(); break;
      case "f": onlyFailures(); break;
      case "j": step(1); break;
      case "k": step(-1); break;
    }
  });
  for (const button of toggles) {
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
      apply();
    });
  }
  text.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", followHash);
  // A link to where the page already is changes no hash.
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (link && link.hash === location.hash) followHash();
  });

  const areas = document.getElementById("areas");
  document.documentElement.classList.add("js");
  if (areas) {
    areas.hidden = false;
    areas.addEventListener("click", () => {
      const all = document.querySelector(".heat").classList.toggle("all");
      areas.setAttribute("aria-pressed", String(all));
    });
  }

  const theme = document.getElementById("theme");
  const remember = (value) => { try { localStorage.setItem("fstestkit-theme", value); } catch { /* a file may have none */ } };
  let chosen = null;
  try { chosen = localStorage.getItem("fstestkit-theme"); } catch { /* likewise */ }
  if (chosen) document.documentElement.dataset.theme = chosen;
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const isDark = document.documentElement.dataset.theme
      ? document.documentElement.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.dataset.theme = isDark ? "light" : "dark";
    remember(document.documentElement.dataset.theme);
  });

  form.hidden = false;
  apply();
  if (location.hash) followHash();
})();
