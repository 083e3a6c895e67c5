// Brings the titles that the page came without.
import { entitle, showTimes } from "./cards.js";
import { arrange } from "./meetings.js";
import { describeOutcome } from "./outcomes.js";
import { WORDS } from "./words.js";

// The page came before its titles: one more answer has them, and whatever it has not could not be read.
export const bringTitles = async () => {
  if (!document.querySelector("[data-loading], [data-coming]")) return;
  const answer = await fetch("/v1/me/rooms").catch(() => null);
  const shapes = answer?.ok ? (await answer.json()).rooms : [];
  const byOccurrence = new Map(shapes.map((shape) => [shape.occurrenceRef, shape]));
  for (const title of document.querySelectorAll("[data-loading]")) {
    const element = title.closest("[data-meeting], [data-prompt]");
    const occurrence = element.dataset.meeting || element.querySelector("[data-occurrence]").dataset.occurrence;
    const shape = byOccurrence.get(occurrence) || { read: false };
    entitle(element, shape);
    if (shape.read && element.dataset.meeting) showTimes(element, shape, false);
  }
  for (const outcome of document.querySelectorAll("[data-coming]")) {
    const lines = outcome.dataset.lines.split(" ");
    outcome.dataset.of = shapes.find((shape) => shape.title && lines.includes(shape.id))?.title || WORDS.untitled;
    delete outcome.dataset.coming;
    describeOutcome(outcome);
  }
  arrange();
};
