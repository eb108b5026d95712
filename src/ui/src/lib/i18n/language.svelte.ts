import { en } from "./en";
import { ja } from "./ja";
import type { Language, Texts } from "./shape";

const KEY = "bluebean.language";
const dictionaries: Record<Language, Texts> = { ja, en };

function remembered(): Language {
  return localStorage.getItem(KEY) === "en" ? "en" : "ja";
}

/** The language on screen. Japanese unless the person chose otherwise in this browser. */
class Speech {
  language = $state<Language>(remembered());
  readonly texts = $derived(dictionaries[this.language]);

  choose(language: Language): void {
    this.language = language;
    localStorage.setItem(KEY, language);
    document.documentElement.lang = language;
  }
}

export const speech = new Speech();

/** The texts of the chosen language; reactive when read in a template. */
export function t(): Texts {
  return speech.texts;
}
