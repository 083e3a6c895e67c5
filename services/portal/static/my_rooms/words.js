// Holds the server's own table of words: the scripts of this page have no words of their own.
import { byId } from "./elements.js";

export const WORDS = JSON.parse(byId("words").content.textContent);  // the server's own table: this script has no words of its own
const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}]/u;
const isolate = (value) => RIGHT_TO_LEFT.test(value) ? `\u2068${value}\u2069` : value;  // a name must not reorder the sentence
export const fill = (text, values) => text.replace(/\{([a-z]{1,20})\}/gi, (_, name) => isolate(values[name]));
