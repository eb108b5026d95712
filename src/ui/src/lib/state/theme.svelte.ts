export type Theme = "light" | "dark" | "system";

const KEY = "bluebean.theme";
const darkQuery = window.matchMedia("(prefers-color-scheme: dark)");

function remembered(): Theme {
  const kept = localStorage.getItem(KEY);
  return kept === "light" || kept === "dark" ? kept : "system";
}

/** Light or dark, by choice or after the device. */
class Appearance {
  theme = $state<Theme>(remembered());

  constructor() {
    darkQuery.addEventListener("change", () => this.paint());
  }

  choose(theme: Theme): void {
    this.theme = theme;
    localStorage.setItem(KEY, theme);
    this.paint();
  }

  paint(): void {
    const dark = this.theme === "dark" || (this.theme === "system" && darkQuery.matches);
    document.documentElement.dataset.scheme = dark ? "dark" : "light";
  }
}

export const appearance = new Appearance();
