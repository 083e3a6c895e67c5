// Completes the last of several addresses: a list of proposals by itself completes a whole field.
const field = document.querySelector("[data-guests]");
const list = document.getElementById("known-guests");
const known = [...list.options].map((option) => option.value);
field.addEventListener("input", () => {
  const before = field.value.replace(/[^\s,;]{0,320}$/, "");
  const chosen = before.toLowerCase().split(/[\s,;]{1,64}/);
  list.replaceChildren(...known.filter((address) => !chosen.includes(address)).map((address) => new Option(address, before + address)));
});
