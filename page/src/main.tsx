import "./style.css";

import { render } from "preact";

import { App } from "./App";
import type { Page } from "./contract";

const page = JSON.parse(document.getElementById("data")!.textContent!) as Page;
document.title = `Inside ${page.title}`;
render(<App page={page} weights={document.getElementById("weights")!.textContent!} />, document.getElementById("page")!);
