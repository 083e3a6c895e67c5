// What the Tab key can and should reach on a page, asked one step at a time by keyboard.py.
(() => {
  const STOPS = "a[href], button, input, select, textarea, summary, [tabindex]";
  const isStop = (element) => {
    if (element.disabled || element.tabIndex < 0 || element.type === "hidden" || element.closest("[inert]")) return false;
    if (element.type === "radio" && !element.checked) {
      const group = [...(element.form ?? document).querySelectorAll(`input[type=radio][name="${element.name}"]`)];
      if (group.some((each) => each.checked) || group[0] !== element) return false;
    }
    return element.checkVisibility({ visibilityProperty: true });
  };
  const nameOf = (element) =>
    `<${element.tagName.toLowerCase()}> ${(element.getAttribute("aria-label") || element.innerText || element.name || element.id || "").trim().slice(0, 60)}`;
  const isOutlined = (element) => {
    const style = getComputedStyle(element);
    return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
  };
  let stops = [];
  globalThis.walkedKeyboard = {
    begin() {
      const start = document.createElement("span");  // from here Tab goes on, whatever had the focus before
      start.tabIndex = -1;
      document.body.prepend(start);
      start.focus();
      start.remove();
      scrollTo(0, 0);
      stops = [...document.querySelectorAll(STOPS)].filter(isStop);
      const mouseOnly = [...document.querySelectorAll("main *, header *, nav *, footer *")].filter(
        (each) => getComputedStyle(each).cursor === "pointer" && !each.closest("a, button, label, summary, input, select, textarea") && each.checkVisibility()
      );
      return { stops: stops.map(nameOf), mouseOnly: mouseOnly.map(nameOf) };
    },
    step() {
      const at = document.activeElement;
      if (!at || at === document.body) return null;
      const box = at.getBoundingClientRect();
      const seen = [at, at.closest("label")].filter(Boolean);
      const x = Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1);
      const y = Math.min(Math.max(box.top + box.height / 2, 0), innerHeight - 1);
      const above = document.elementFromPoint(x, y);
      const covered = box.width > 2 && !(above && seen.some((each) => each.contains(above) || above.contains(each)));
      return {
        stop: stops.indexOf(at), name: nameOf(at), outlined: seen.some(isOutlined), covered,
        left: box.left, right: box.right, top: box.top + scrollY, bottom: box.bottom + scrollY,
      };
    },
  };
})();
