import "./views/style.css";

import { render } from "preact";

import type { Page } from "./contract";
import { App } from "./views/App";

const page = JSON.parse(document.getElementById("data")!.textContent!) as Page;
document.title = `Inside ${page.title}`;
render(<App page={page} weights={document.getElementById("weights")!.textContent!} />, document.getElementById("page")!);
