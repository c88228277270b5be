// Makes quick what already works without it. Each module looks for its own elements and does nothing where there are none.
import "./times.js";
import "./theme.js";
import "./menus.js";
import "./select.js";
import "./keyboard.js";
import "./live.js";
import "./waiting.js";
import "./copy.js";
import "./toast.js";

document.documentElement.classList.add("js");
