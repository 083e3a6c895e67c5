// Finds and copies the elements of "My rooms".
export const byId = (id) => document.getElementById(id);
export const clone = (id) => byId(id).content.firstElementChild.cloneNode(true);
export const find = (attribute, value) => document.querySelector(`[data-${attribute}="${CSS.escape(value)}"]`);
export const say = (text) => { byId("said").textContent = text; };
