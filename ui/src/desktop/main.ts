// The window on the owner's own computer.

import { mount } from "svelte";
import { Desk } from "../lib/state/desk/desk.svelte";
import "../lib/look.css";
import "./desktop.css";
import Window from "./Window.svelte";

const target = document.getElementById("app");
if (target) mount(Window, { target, props: { desk: new Desk() } });
