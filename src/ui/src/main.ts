import "./styles/tokens.css";
import "./styles/base.css";
import { mount } from "svelte";
import App from "./App.svelte";
import { speech } from "./lib/i18n/language.svelte";
import { appearance } from "./lib/state/theme.svelte";

appearance.paint();
document.documentElement.lang = speech.language;

const target = document.getElementById("app");
if (target === null) throw new Error("index.html has no #app");
mount(App, { target });
