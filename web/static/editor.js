// A small editor over a text of an email. Without scripts the textarea is what it is; with them it keeps what is sent, and is shown
// for HTML that the editor does not know. Text without formatting stays plain text (docs/pages.md).
"use strict";
(() => {
  const GONE = "script, style, title, head, meta, link, template, iframe, object, svg, math, select, textarea, input, noscript, video, audio";
  const BLOCKS = "p, div, h1, h2, h3, h4, h5, h6, blockquote, pre, section, article, header, footer, main, address, table, tr, dl, dt, dd, center, figure, hr";
  const MADE = "p, br, b, strong, i, em, a, ul, ol, li"; // what the editor makes, or makes the same of
  const LINK = /^(?:https?:\/\/|mailto:|tel:)\S+$/i;
  const NO_NAME = /<!--|<!doctype|<\?xml|<\/?(?:o|v|w|m|st1|st2):/i; // tags whose names browsers do not know
  const FIELD = /(\{\{[^{}]*\}\})/;

  const BARE = { b: false, i: false, href: "" };

  // Styles are read, never applied: the page's policy would complain of each.
  const parsed = (html) => {
    const calm = html.replace(/<[^<>]*>/g, (tag) => tag.replace(/(\s)style(?=\s*=)/gi, "$1data-style").replace(/^<(\/?)style\b/i, "<$1template"));
    return new DOMParser().parseFromString(calm, "text/html").body;
  };
  const isTagged = (text) => NO_NAME.test(text) || [...parsed(text).querySelectorAll("*")].some((each) => !(each instanceof HTMLUnknownElement) && !each.localName.includes("-"));
  const target = (link) => (link.getAttribute("href") ?? "").trim();
  const leads = (link) => LINK.test(target(link)) || target(link).startsWith("{{");

  // ---- A text as blocks, each of runs: { list: "ul" | "ol" | "", runs: [{ text, b, i, href }] }. A run "\n" breaks the line ----
  const read = (root, folds) => {
    const blocks = [];
    let open = null;
    let item = null; // the list item that everything belongs to
    let apart = false; // a block ended in it
    const put = (text, format) => {
      if (!open) blocks.push(open = item ?? { list: "", runs: [] });
      if (apart && open.runs.length) open.runs.push({ ...format, text: "\n" });
      apart = false;
      open.runs.push({ ...format, text });
    };
    const ends = () => { if (item) apart = item.runs.length > 0; else open = null; };
    const walk = (node, format) => {
      for (const each of node.childNodes) {
        if (each.nodeType === Node.TEXT_NODE) {
          const fresh = !open || !open.runs.length || open.runs.at(-1).text.endsWith("\n") || apart;
          let text = folds ? each.data.replace(/[ \t\r\n]+/g, " ") : each.data.replace(/[\r\n]+/g, " ");
          if (folds && (fresh || open.runs.at(-1).text.endsWith(" "))) text = text.replace(/^ /, "");
          text = text.replace(/\u200b/g, "");
          if (text) put(text, format);
        } else if (each.nodeType === Node.ELEMENT_NODE) element(each, format);
      }
    };
    const element = (each, format) => {
      const style = each.dataset.style ?? "";
      if (each.matches(GONE) || /mso-list:\s*ignore/i.test(style)) return;
      const within = { ...format };
      if (each.matches("b, strong, h1, h2, h3, h4, h5, h6, th") || /font-weight:\s*(?:bold|[6-9]00)/i.test(style)) within.b = true;
      if (/font-weight:\s*(?:normal|400)/i.test(style)) within.b = format.b; // what some programs wrap all that they copy into
      if (each.matches("i, em") || /font-style:\s*italic/i.test(style)) within.i = true;
      if (each.matches("a") && leads(each)) within.href = target(each);
      if (each.matches("br")) put("\n", format);
      else if (each.matches("li") || /mso-list:/i.test(style) || /^MsoList/.test(each.className)) {
        const before = item;
        item = open = { list: each.closest("ol, ul")?.localName ?? "ul", runs: [] };
        blocks.push(item);
        apart = false;
        walk(each, within);
        [item, open, apart] = [before, null, false];
      } else if (each.matches(BLOCKS)) {
        ends();
        walk(each, within);
        ends();
      } else {
        walk(each, within);
        if (each.matches("td, th")) put(" ", format);
      }
    };
    walk(root, BARE);
    for (const { runs } of blocks) {
      if (folds && runs.length) runs.at(-1).text = runs.at(-1).text.replace(/ $/, "");
      if (runs.at(-1)?.text === "\n") runs.pop(); // a break at the end of a block shows nothing
    }
    return blocks;
  };

  const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
  // What is in a field is read as it stands.
  const said = (text) => text.split(FIELD).map((each, at) => (at % 2 ? each : escaped(each).replace(/&quot;/g, '"'))).join("");
  // Spaces that HTML would fold are kept by others that it does not.
  const wide = (text, first) => text.replace(/\u00a0/g, " ").replace(first ? / (?= )|^ /g : / (?= )/g, "\u00a0");

  const line = (runs) => {
    let html = "";
    let within = BARE;
    const turn = (to) => {
      if (within.href === to.href && within.b === to.b && within.i === to.i) return;
      html += (within.i ? "</i>" : "") + (within.b ? "</b>" : "") + (within.href ? "</a>" : "");
      html += (to.href ? `<a href="${escaped(to.href).replace(/&amp;(?=[^{}]*\}\})/g, "&")}">` : "") + (to.b ? "<b>" : "") + (to.i ? "<i>" : "");
      within = to;
    };
    let first = true;
    for (const [at, run] of runs.entries()) {
      if (run.text === "\n") {
        turn(runs.slice(at).find((each) => each.text !== "\n") ?? BARE);
        html += "<br>";
      } else {
        turn(run);
        html += said(wide(run.text, first));
      }
      first = run.text === "\n";
    }
    turn(BARE);
    return html;
  };
  const asHtml = (blocks) => {
    let html = "";
    let list = "";
    for (const each of [...blocks, { list: "", runs: null }]) {
      if (list !== each.list) {
        html += (list ? `</${list}>` : "") + (each.list ? `<${each.list}>` : "");
        list = each.list;
      }
      if (each.runs) html += each.list ? `<li>${line(each.runs)}</li>` : `<p>${line(each.runs) || "<br>"}</p>`;
    }
    return html;
  };
  const isPlain = (blocks) => blocks.every((each) => !each.list && each.runs.every((run) => !run.b && !run.i && !run.href));
  const asText = (blocks) => blocks.map((each) => each.runs.map((run) => run.text).join("")).join("\n\n").replace(/\u00a0/g, " ");
  const fromText = (text) =>
    text.replace(/\r\n?/g, "\n").split("\n\n").map((each) => `<p>${each.split("\n").map((one) => said(wide(one, true))).join("<br>") || "<br>"}</p>`).join("");
  // Text that only looks like tags would be taken for them.
  const written = (blocks) => {
    while (blocks.length && !blocks.at(-1).runs.length && !blocks.at(-1).list) blocks.pop();
    const text = isPlain(blocks) ? asText(blocks) : "";
    return text && !isTagged(text) ? text : blocks.length ? asHtml(blocks) : "";
  };

  // HTML that nothing breaks into lines keeps those that it is written in, as it does when it is sent.
  const broken = (html) =>
    parsed(html).querySelector(`br, li, ${BLOCKS}`) ? html : html.split(/\n(?:\s*\n)+/).map((each) => `<p>${each.replace(/\n/g, "<br>")}</p>`).join("");

  // Would the editor give back all that the HTML says?
  const knows = (body) =>
    [...body.querySelectorAll("*")].every((each) =>
      each.matches(MADE) &&
      [...each.attributes].every((one) => one.name === "href" && each.matches("a")) &&
      (!each.matches("a") || leads(each)) &&
      !(each.matches("ul, ol") && each.parentElement.closest("ul, ol")));

  const fragment = (html) => {
    const inert = document.createElement("template");
    inert.innerHTML = asHtml(read(parsed(html), true));
    return document.importNode(inert.content, true);
  };

  // ---- The address of a link is asked for in a dialog; "" takes the link away ----
  const askForLink = (present, done) => {
    const over = document.createElement("dialog");
    over.className = "over";
    over.setAttribute("aria-labelledby", "link-title");
    over.innerHTML = `<form class="dialog form" method="dialog"><h2 id="link-title">Link</h2>
      <div class="field"><label for="link-to">Address</label><p class="hint" id="link-hint">Like https://acme.example/jobs or anna@acme.example. Empty: no link.</p>
      <input id="link-to" autocomplete="off" aria-describedby="link-hint"></div>
      <div class="row"><button class="button primary" value="set">Set link</button><button class="button quiet" value="" formnovalidate>Cancel</button></div></form>`;
    const address = over.querySelector("input");
    address.value = present;
    over.addEventListener("close", () => {
      over.remove();
      let to = address.value.trim();
      if (to && !LINK.test(to) && !to.startsWith("{{")) to = /^[^\s/@]+@[^\s/@]+$/.test(to) ? `mailto:${to}` : `https://${to}`;
      done(over.returnValue === "set" ? to : null);
    });
    document.body.append(over);
    over.showModal();
    address.focus();
  };

  const begin = (field) => {
    const source = field.querySelector("textarea");
    const label = field.querySelector("label");
    const tools = field.querySelector("[data-tools]");
    const unknown = field.querySelector("[data-unknown]");
    const toggle = tools.querySelector("[data-do=source]");
    const rich = document.createElement("div");
    const required = source.required;
    rich.className = "rich";
    rich.dir = "auto";
    label.id ||= `${source.id}-label`;
    for (const [name, value] of [["role", "textbox"], ["aria-multiline", "true"], ["aria-labelledby", label.id], ["aria-describedby", source.getAttribute("aria-describedby")],
      ["aria-invalid", source.getAttribute("aria-invalid")], ["aria-required", required ? "true" : null]]) if (value) rich.setAttribute(name, value);
    source.after(rich);
    const editor = new Squire(rich, { blockTag: "P", addLinks: false, sanitizeToDOMFragment: fragment, didError: (error) => { throw error; } });
    // Only what the buttons do, so that nothing is shown that is not sent; Tab leaves the text.
    const mac = /Mac|iP(?:hone|ad)/.test(navigator.platform);
    for (const each of ["u", "Shift-5", "Shift-6", "Shift-7", "[", "]", "d"]) editor.setKeyHandler((mac ? "Meta-" : "Ctrl-") + each, null);
    for (const each of ["Tab", "Shift-Tab", " "]) editor.setKeyHandler(each, null);

    // A break at the end of a block shows only if another one follows.
    editor.setKeyHandler("Shift-Enter", (_, event, range) => {
      event.preventDefault();
      editor.saveUndoState(range);
      range.deleteContents();
      const broken = document.createElement("br");
      range.insertNode(broken);
      const rest = document.createRange();
      rest.setStartAfter(broken);
      rest.setEndAfter(broken.parentElement.closest("p, li, .rich").lastChild);
      if (!rest.toString() && !rest.cloneContents().querySelector("br")) broken.after(document.createElement("br"));
      range.setStartAfter(broken);
      range.collapse(true);
      editor.setSelection(range);
    });

    const isRich = () => !rich.hidden;
    const show = (formatted) => {
      rich.hidden = !formatted;
      source.hidden = formatted;
      source.required = required && !formatted;
      toggle.setAttribute("aria-pressed", String(!formatted));
      for (const each of tools.querySelectorAll("[data-rich]")) each.disabled = !formatted;
    };
    let kept = ""; // what the area holds as far as the editor knows
    // `html`: what it is as HTML, or null for plain text.
    const load = (html) => {
      kept = source.value;
      const body = html === null ? null : parsed(html);
      const fits = body === null || knows(body);
      unknown.hidden = fits;
      if (fits) editor.setHTML(body === null ? fromText(source.value) : html);
      show(fits);
    };
    const loadKept = () => load(isTagged(source.value) ? broken(source.value) : null);
    const formats = { bold: ["bold", "removeBold", "B"], italic: ["italic", "removeItalic", "I"], ul: ["makeUnorderedList", "removeList", "UL"], ol: ["makeOrderedList", "removeList", "OL"] };
    const press = () => {
      for (const [name, [, , tag]] of Object.entries(formats)) tools.querySelector(`[data-do=${name}]`).setAttribute("aria-pressed", String(editor.hasFormat(tag)));
    };
    const insert = (text) => {
      if (isRich()) {
        editor.focus();
        editor.insertPlainText(text, false);
      } else {
        source.setRangeText(text, source.selectionStart, source.selectionEnd, "end");
        source.focus();
      }
    };
    const link = () => {
      const range = editor.getSelection();
      const from = range.commonAncestorContainer;
      const here = (from.nodeType === Node.ELEMENT_NODE ? from : from.parentElement).closest("a");
      askForLink(here ? target(here) : "", (to) => {
        editor.focus();
        if (to === null) return;
        if (here) {
          range.selectNodeContents(here);
          editor.setSelection(range);
        }
        if (!to) editor.removeLink();
        else if (range.collapsed) editor.insertHTML(`<a href="${escaped(to)}">${escaped(to.replace(/^(?:mailto:|https?:\/\/)/, ""))}</a>`);
        else editor.makeLink(to, {});
      });
    };
    editor.setKeyHandler(mac ? "Meta-k" : "Ctrl-k", (_, event) => { event.preventDefault(); link(); });

    editor.addEventListener("input", () => {
      if (isRich()) kept = source.value = written(read(rich, false));
      press();
    });
    editor.addEventListener("pathChange", press);
    label.addEventListener("click", () => { if (isRich()) editor.focus(); });
    tools.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      const format = formats[button?.dataset.do];
      if (!button) return;
      if (format) {
        editor.focus();
        editor[editor.hasFormat(format[2]) ? format[1] : format[0]]();
        press();
      } else if (button.dataset.do === "link") link();
      else if (button.dataset.do === "undo") editor.focus().undo();
      else if (button.dataset.do === "redo") editor.focus().redo();
      else if (button.dataset.do === "source") {
        if (isRich()) {
          show(false);
          source.focus();
        } else {
          loadKept();
          if (isRich()) editor.focus();
        }
      } else if (button.dataset.field) {
        const otherwise = tools.querySelector("[data-otherwise]");
        const without = otherwise.value.replace(/[{}|]/g, "").trim();
        button.closest("details").open = false;
        insert(`{{${button.dataset.field}${without ? `|${without}` : ""}}}`);
        otherwise.value = "";
      }
    });
    // Enter in it would send the form.
    tools.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.target.matches("input")) event.preventDefault(); });

    tools.hidden = false;
    if (source.value === source.defaultValue) load(field.dataset.html ?? null);
    else loadKept();
    // What somebody typed on a former visit of the page, a browser puts back into the area.
    addEventListener("pageshow", () => { if (isRich() && source.value !== kept) loadKept(); });
    if (source.autofocus && isRich()) editor.focus();
  };
  for (const field of document.querySelectorAll("[data-editor]")) begin(field);
})();
