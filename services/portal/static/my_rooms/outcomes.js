// Follows how the takes of rooms went until their person has seen it.
import { byId, clone, find } from "./elements.js";
import { fill, WORDS } from "./words.js";

// What was taken is followed until its person has seen how it went.
const SEEN = "roomsync-seen-takes";
const seen = () => { try { return JSON.parse(localStorage.getItem(SEEN)) || []; } catch { return []; } };
const see = (id) => { try { localStorage.setItem(SEEN, JSON.stringify([...seen(), id].slice(-200))); } catch { /* shown again, then */ } };
const stateOf = (line) => (find("room", line)?.querySelector("[data-state]").className || "").replace("badge ", "");
export const describeOutcome = (outcome) => {
  const lines = outcome.dataset.lines.split(" ");
  const accepted = lines.filter((line) => stateOf(line) === "accepted").length;
  const kind = accepted === lines.length ? "accepted" : accepted ? "some" : "pending";
  const text = fill(WORDS.outcomes[kind], { room: outcome.dataset.roomName, title: outcome.dataset.of, accepted, dates: lines.length });
  const words = outcome.querySelector("[data-outcome-words]");
  outcome.classList.toggle("accepted", kind === "accepted");
  if (words.textContent !== text) words.textContent = text;
};
export const followOutcome = (shape) => {
  for (const outcome of document.querySelectorAll("[data-outcome]")) {
    if (!outcome.dataset.lines.split(" ").includes(shape.id)) continue;
    if (shape.state === "declined" || shape.state === "gone") outcome.remove();
    else setTimeout(() => describeOutcome(outcome));  // once the line itself is written
  }
};
export const addOutcome = (title, choice, lines, takeId) => {
  if (find("outcome", takeId)) return;
  const outcome = clone("outcome-template");
  outcome.dataset.outcome = takeId;
  outcome.dataset.lines = lines.join(" ");
  outcome.dataset.roomName = choice.name;
  outcome.dataset.of = title;
  byId("outcomes").prepend(outcome);
  describeOutcome(outcome);
};
export const dropSeen = () => {
  for (const outcome of document.querySelectorAll("[data-outcome]")) if (seen().includes(outcome.dataset.outcome)) outcome.remove();
};
document.addEventListener("click", (event) => {
  const outcome = event.target.closest("[data-seen]")?.closest("[data-outcome]");
  if (!outcome) return;
  see(outcome.dataset.outcome);
  outcome.remove();
  byId("main").focus();
});
