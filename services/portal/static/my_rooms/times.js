// Writes times in the reader's own zone and manner.
import { writing } from "./writing.js";

const { locale, hours } = document.documentElement.dataset;
export const { longDay: DAY, shortDay: SHORT_DAY, clock: CLOCK, relative: RELATIVE } = writing(locale, hours);
const midnight = (at) => new Date(at.getFullYear(), at.getMonth(), at.getDate());
const until = (start) => {
  const minutes = Math.round((start - Date.now()) / 60000);
  const days = Math.round((midnight(start) - midnight(new Date())) / 86400000);
  if (minutes < 1) return "";
  if (days > 0) return RELATIVE.format(days, "day");
  return minutes < 60 ? RELATIVE.format(minutes, "minute") : RELATIVE.format(Math.round(minutes / 60), "hour");
};
export const showWhen = (element, start, end, withDay) => {
  const day = withDay ? `${SHORT_DAY.format(start)}, ` : "";
  element.replaceChildren(`${day}${CLOCK.format(start)}–${CLOCK.format(end)}`);
};
export const countDown = () => {
  for (const date of document.querySelectorAll("[data-date]")) {
    const words = date.querySelector("[data-until]");
    if (words && date.dataset.start) words.textContent = until(new Date(date.dataset.start));
  }
};
export const localise = (root, withDay) => {
  for (const element of root.querySelectorAll("[data-when]")) {
    const [start, end] = [...element.querySelectorAll("time")].map((time) => new Date(time.dateTime));
    if (start) showWhen(element, start, end, withDay);
  }
};
