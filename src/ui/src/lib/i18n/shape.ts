import type { ja } from "./ja";

/** The shape every language must fill. */
export type Texts = typeof ja;
export type Language = "ja" | "en";
