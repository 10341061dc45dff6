// <tidings-inbox recipient="…" tenant="…" base="…" inline>: a bell with the number of unread notifications, and the
// list behind it, which follows the inbox live. No dependencies, no assets; texts are set as text, never as HTML.
//
//   recipient  whose inbox; required
//   tenant     "default" unless set
//   base       where the inbox's HTTP API is; the page's own address unless set
//   inline     the list is always open
//
// Fires "change" with detail { unread } whenever the inbox has changed.

const styles = new CSSStyleSheet();
styles.replaceSync(`
  :host {
    --surface: #fff; --text: #1f2328; --quiet: #5f6670; --line: #dfdcd6; --hover: #f7f5f1; --accent: #b45309;
    --tint: #fdf6ea; --badge: #dc2626;
    display: inline-block; position: relative; color: var(--text);
    font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  }
  @media (prefers-color-scheme: dark) {
    :host {
      --surface: #1f2227; --text: #e8e6e3; --quiet: #a2a8b0; --line: #33373e; --hover: #282c32;
      --accent: #fbbf24; --tint: #2b2519; --badge: #ef4444;
    }
  }
  :host([inline]) { display: block; }
  :host([hidden]), [hidden] { display: none !important; }
  * { box-sizing: border-box; }
  button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; }
  :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 6px; }
  .bell { position: relative; width: 40px; height: 40px; border-radius: 50%; display: grid; place-items: center; }
  .bell:hover { background: var(--hover); }
  :host([inline]) .bell { pointer-events: none; }
  svg { width: 24px; height: 24px; fill: currentColor; }
  .badge {
    position: absolute; top: 2px; left: 21px; min-width: 18px; padding: 0 5px; border-radius: 9px;
    background: var(--badge); color: #fff; font-size: 11px; font-weight: 700; line-height: 18px; text-align: center;
    font-variant-numeric: tabular-nums;
  }
  .panel { background: var(--surface); border: 1px solid var(--line); border-radius: 12px; overflow: hidden; }
  :host(:not([inline])) .panel {
    position: absolute; right: 0; top: 46px; width: min(420px, 92vw); z-index: 10;
    box-shadow: 0 12px 32px rgb(0 0 0 / .22);
  }
  .head {
    display: flex; align-items: center; gap: 8px; padding: 8px 16px 8px 12px;
    border-bottom: 1px solid var(--line);
  }
  :host([inline]) .head { padding-left: 8px; }
  h2 { font-size: 16px; margin: 0; flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .head button { color: var(--accent); font-size: 13px; font-weight: 600; padding: 4px 6px; white-space: nowrap; }
  .head button[disabled] { color: var(--quiet); cursor: default; opacity: .6; }
  .offline { padding: 6px 16px; font-size: 13px; background: var(--tint); border-bottom: 1px solid var(--line); }
  .list { list-style: none; margin: 0; padding: 0; max-height: min(70vh, 640px); overflow-y: auto; }
  :host([inline]) .list { max-height: calc(100vh - 210px); }
  .item { position: relative; border-bottom: 1px solid var(--line); display: flex; }
  .item:last-child { border-bottom: 0; }
  .item.unread { background: var(--tint); }
  .open {
    flex: 1; min-width: 0; display: block; padding: 11px 8px 11px 32px; text-align: left; color: inherit;
    text-decoration: none; cursor: pointer;
  }
  .open:focus-visible, .mark:focus-visible { outline-offset: -3px; }
  .item:hover { background: var(--hover); }
  .item.unread::before {
    content: ""; position: absolute; left: 13px; top: 18px; width: 8px; height: 8px; border-radius: 50%;
    background: var(--accent); pointer-events: none;
  }
  .title { overflow-wrap: anywhere; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden; }
  .unread .title { font-weight: 600; }
  .about { margin-top: 2px; color: var(--quiet); font-size: 13px; }
  .mark { align-self: center; margin: 0 12px 0 4px; padding: 4px 8px; color: var(--quiet); font-size: 13px; white-space: nowrap; opacity: 0; }
  .item:hover .mark, .mark:focus-visible, .item:focus-within .mark { opacity: 1; }
  @media (hover: none) { .mark { opacity: 1; } }
  .mark:hover { color: var(--accent); }
  .fresh { animation: arrive 1.6s ease-out; }
  @keyframes arrive { from { box-shadow: inset 4px 0 0 var(--accent); } to { box-shadow: inset 0 0 0 transparent; } }
  @media (prefers-reduced-motion: reduce) { .fresh { animation: none; } }
  .empty { margin: 0; padding: 56px 24px; text-align: center; color: var(--quiet); }
  .more { display: block; width: 100%; padding: 10px; border-top: 1px solid var(--line); color: var(--accent); font-weight: 600; font-size: 13px; }
  .hear { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`);

const template = document.createElement("template");
template.innerHTML = `
  <button class="bell" type="button" aria-haspopup="dialog" aria-expanded="false">
    <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 2a6 6 0 0 0-6 6v4.6L4.3 15.6A1 1 0 0 0 5.2 17h13.6a1 1 0 0 0 .9-1.4L18 12.6V8a6 6 0 0 0-6-6Zm-2.5 17a2.5 2.5 0 0 0 5 0Z"/></svg>
    <span class="badge" hidden></span>
  </button>
  <div class="panel" role="dialog" aria-labelledby="title" hidden>
    <div class="head">
      <h2 id="title">Notifications</h2>
      <button class="filter" type="button" aria-pressed="false">Unread only</button>
      <button class="all" type="button">Mark all read</button>
    </div>
    <div class="offline" role="status" hidden>No connection; trying again …</div>
    <ul class="list" aria-labelledby="title"></ul>
    <p class="empty" hidden></p>
    <button class="more" type="button" hidden>Older ones</button>
  </div>
  <div class="hear" role="status" aria-live="polite"></div>
`;

// A link leads nowhere but to a web address, whatever the inbox says.
function safeLink(link) {
  if (!link) return null;
  try {
    const url = new URL(link, document.baseURI);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}

const spans = [["year", 31536000], ["month", 2592000], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60]];
const relative = new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { numeric: "auto" });

function ago(time) {
  const seconds = (Date.parse(time) - Date.now()) / 1000;
  for (const [unit, length] of spans) {
    if (Math.abs(seconds) >= length) return relative.format(Math.trunc(seconds / length), unit);
  }
  return "just now";
}

class TidingsInbox extends HTMLElement {
  static observedAttributes = ["recipient", "tenant", "base", "inline"];

  #root = this.attachShadow({ mode: "open" });
  #items = new Map();
  #elements = new Map();
  #next = null;
  #seq = 0;
  #unread = 0;
  #unreadOnly = false;
  #isLoaded = false;
  #source = null;
  #load = 0;
  #retry = 0;
  #clock = 0;
  #scheduled = false;
  #announceTimer = 0;
  #arrived = [];

  constructor() {
    super();
    this.#root.adoptedStyleSheets = [styles];
    this.#root.append(template.content.cloneNode(true));
    this.#part(".bell").addEventListener("click", () => this.toggle());
    this.#part(".all").addEventListener("click", () => this.#markAll());
    this.#part(".filter").addEventListener("click", () => this.#filter());
    this.#part(".more").addEventListener("click", () => this.#older());
    this.#root.addEventListener("keydown", (event) => this.#key(event));
  }

  connectedCallback() {
    document.addEventListener("pointerdown", this.#outside);
    document.addEventListener("visibilitychange", this.#visible);
    this.#clock = setInterval(() => this.#tellTimes(), 30000);
    this.#start();
  }

  disconnectedCallback() {
    document.removeEventListener("pointerdown", this.#outside);
    document.removeEventListener("visibilitychange", this.#visible);
    clearInterval(this.#clock);
    this.#stop();
  }

  // Attributes that are set one after the other lead to one start.
  attributeChangedCallback(name, before, after) {
    if (!this.isConnected || before === after || this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (this.isConnected) this.#start();
    });
  }

  get unread() { return this.#unread; }

  /** Opens or closes the list. */
  toggle(open = this.#part(".panel").hidden) {
    if (this.hasAttribute("inline")) return;
    this.#part(".panel").hidden = !open;
    this.#part(".bell").setAttribute("aria-expanded", open);
    if (open) (this.#part(".list .open") ?? this.#part(".all")).focus();
    this.#see();
  }

  #part(selector) { return this.#root.querySelector(selector); }

  #address(path, query = {}) {
    const recipient = encodeURIComponent(this.getAttribute("recipient") ?? "");
    const base = new URL(this.getAttribute("base") || "./", document.baseURI);
    const url = new URL(`api/v1/recipients/${recipient}/${path}`, base);
    url.searchParams.set("tenant", this.getAttribute("tenant") || "default");
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
    return url;
  }

  #stop() {
    this.#load += 1;
    this.#source?.close();
    this.#source = null;
    clearTimeout(this.#retry);
    clearTimeout(this.#announceTimer);
    this.#announceTimer = 0;
    this.#arrived = [];
    clearTimeout(this.#seeing);
    this.#seeing = 0;
    this.#seenThrough = 0;
  }

  #start() {
    this.#stop();
    const isInline = this.hasAttribute("inline");
    const bell = this.#part(".bell");
    if (isInline) {
      this.#part(".head").prepend(bell);
      // With the list always open it opens nothing: a picture of the count.
      bell.tabIndex = -1;
      bell.setAttribute("role", "img");
      bell.removeAttribute("aria-haspopup");
      bell.removeAttribute("aria-expanded");
      this.#part(".panel").hidden = false;
      this.#part(".panel").setAttribute("role", "region");
    } else {
      if (bell.parentNode !== this.#root) this.#part(".panel").hidden = true;
      this.#root.prepend(bell);
      bell.removeAttribute("tabindex");
      bell.removeAttribute("role");
      bell.setAttribute("aria-haspopup", "dialog");
      bell.setAttribute("aria-expanded", !this.#part(".panel").hidden);
      this.#part(".panel").setAttribute("role", "dialog");
    }
    this.#part("#title").textContent =
      isInline ? this.getAttribute("recipient") ?? "" : "Notifications";
    this.#items.clear();
    this.#elements.clear();
    this.#part(".list").replaceChildren();
    this.#next = null;
    this.#seq = 0;
    this.#isLoaded = false;
    this.#count(0);
    this.#draw();
    if (this.getAttribute("recipient")) this.#first();
  }

  async #first() {
    const load = this.#load;
    const page = await this.#page();
    if (load !== this.#load) return;
    if (!page) {
      this.#part(".offline").hidden = false;
      this.#retry = setTimeout(() => this.#first(), 2000);
      return;
    }
    this.#part(".offline").hidden = true;
    this.#isLoaded = true;
    this.#items.clear();
    for (const item of page.notifications) this.#items.set(item.id, item);
    this.#next = page.next ?? null;
    this.#seq = page.seq;
    this.#count(page.unread);
    this.#draw();
    this.#see();
    this.#follow();
  }

  async #page(before) {
    const query = { limit: 50 };
    if (before) query.before = before;
    if (this.#unreadOnly) query.unread = true;
    const response = await fetch(this.#address("notifications", query)).catch(() => null);
    return response?.ok ? response.json().catch(() => null) : null;
  }

  #follow() {
    this.#source?.close();
    const source = new EventSource(this.#address("events", { since: this.#seq }));
    this.#source = source;
    source.addEventListener("open", () => { this.#part(".offline").hidden = true; });
    source.addEventListener("error", () => {
      this.#part(".offline").hidden = false;
      // A browser gives up on an answer that is not a stream, such as 503.
      if (source.readyState === EventSource.CLOSED && this.#source === source) {
        clearTimeout(this.#retry);
        this.#retry = setTimeout(() => this.#follow(), 5000);
      }
    });
    source.addEventListener("reset", () => this.#start());
    source.addEventListener("notification", (event) => {
      const { notification, unread } = JSON.parse(event.data);
      this.#seq = Number(event.lastEventId);
      this.#take(notification, unread);
    });
  }

  #take(notification, unread) {
    const isNew = !this.#items.has(notification.id) && !notification.read
      && notification.seq === notification.changed;
    const newest = Math.max(0, ...[...this.#items.values()].map((item) => item.seq));
    // An older one that is not listed comes with its page.
    if (this.#items.has(notification.id) || notification.seq > newest || this.#next === null) {
      this.#items.set(notification.id, notification);
    }
    if (isNew) {
      notification.fresh = true;
      this.#announce(notification.title);
    }
    this.#count(unread);
    this.#schedule();
  }

  // A burst of notifications is one drawing and one announcement.
  #drawing = 0;
  #schedule() {
    if (this.#drawing) return;
    this.#drawing = requestAnimationFrame(() => {
      this.#drawing = 0;
      this.#draw();
      this.#see();
    });
  }

  // Tells the inbox what came to the reader's eyes, once for a burst; nothing waits for the answer.
  #seenThrough = 0;
  #seeing = 0;
  #see() {
    if (this.#seeing || this.#part(".panel").hidden || document.hidden) return;
    this.#seeing = setTimeout(() => {
      this.#seeing = 0;
      const newest = Math.max(0, ...[...this.#items.values()].map((item) => item.seq));
      if (newest <= this.#seenThrough || this.#part(".panel").hidden || document.hidden) return;
      this.#seenThrough = newest;
      fetch(this.#address("seen-all", { through: newest }), { method: "POST", keepalive: true })
        .then((response) => { if (!response.ok) this.#seenThrough = 0; }, () => { this.#seenThrough = 0; });
    }, 500);
  }

  #announce(title) {
    this.#arrived.push(title);
    if (this.#announceTimer) return;
    this.#announceTimer = setTimeout(() => {
      const titles = this.#arrived;
      this.#announceTimer = 0;
      this.#arrived = [];
      this.#part("[aria-live]").textContent =
        titles.length === 1 ? `New: ${titles[0]}` : `${titles.length} new notifications`;
    }, 700);
  }

  #count(unread) {
    this.#unread = unread;
    const badge = this.#part(".badge");
    badge.hidden = unread === 0;
    badge.textContent = unread > 99 ? "99+" : unread;
    this.#part(".bell").setAttribute("aria-label", `Notifications, ${unread} unread`);
    this.#part(".all").disabled = unread === 0;
    this.dispatchEvent(new CustomEvent("change", { bubbles: true, detail: { unread } }));
  }

  // Elements are kept by id, so that a drawing neither moves the focus nor the scroll position.
  #draw() {
    const list = this.#part(".list");
    const items = [...this.#items.values()].sort((a, b) => b.seq - a.seq)
      .filter((item) => !this.#unreadOnly || !item.read);
    const kept = new Set(items.map((item) => item.id));
    for (const [id, element] of this.#elements) {
      if (kept.has(id)) continue;
      element.remove();
      this.#elements.delete(id);
    }
    let previous = null;
    for (const item of items) {
      let element = this.#elements.get(item.id);
      if (!element || element.changed !== item.changed) {
        const replacement = this.#element(item);
        const hadFocus = element?.contains(this.#root.activeElement);
        element?.replaceWith(replacement);
        element = replacement;
        this.#elements.set(item.id, element);
        if (hadFocus) element.querySelector(".open").focus();
      }
      const place = previous ? previous.nextSibling : list.firstChild;
      if (place !== element) list.insertBefore(element, place);
      previous = element;
    }
    const empty = this.#part(".empty");
    empty.hidden = items.length > 0;
    empty.textContent = !this.#isLoaded ? "Loading …" : this.#unreadOnly ? "All read." : "Nothing here yet.";
    list.hidden = items.length === 0;
    this.#part(".more").hidden = this.#next === null;
  }

  #element(item) {
    const element = document.createElement("li");
    element.className = "item" + (item.read ? "" : " unread") + (item.fresh ? " fresh" : "");
    element.changed = item.changed;
    delete item.fresh;
    const link = safeLink(item.link);
    const open = document.createElement(link ? "a" : "button");
    open.className = "open";
    if (link) {
      open.href = link;
      open.target = "_blank";
      open.rel = "noopener noreferrer";
    } else {
      open.type = "button";
    }
    open.addEventListener("click", () => (link ? this.#followed(item.id) : this.#mark(item.id)));
    const title = document.createElement("div");
    title.className = "title";
    title.textContent = item.title;
    const about = document.createElement("div");
    about.className = "about";
    const time = document.createElement("time");
    time.dateTime = item.created;
    time.title = new Date(item.created).toLocaleString();
    time.textContent = ago(item.created);
    if (item.category) about.append(item.category, " · ");
    about.append(time);
    if (item.count > 1) about.append(` · ${item.count} events`);
    const state = document.createElement("span");
    state.className = "hear";
    state.textContent = item.read ? "" : "Unread. ";
    open.append(state, title, about);
    element.append(open);
    if (!item.read) {
      const mark = document.createElement("button");
      mark.className = "mark";
      mark.type = "button";
      mark.textContent = "Mark read";
      mark.setAttribute("aria-label", `Mark as read: ${item.title}`);
      mark.addEventListener("click", () => this.#mark(item.id));
      element.append(mark);
    }
    return element;
  }

  #tellTimes() {
    for (const time of this.#root.querySelectorAll("time")) time.textContent = ago(time.dateTime);
  }

  // The answer of a change arrives as an event of the stream, like everybody else's.
  async #mark(id) {
    if (this.#items.get(id)?.read) return;
    await this.#post(this.#address(`notifications/${encodeURIComponent(id)}/read`));
  }

  // It is the browser that follows the link; a click of before the page was left is told all the same.
  async #followed(id) {
    await this.#post(this.#address(`notifications/${encodeURIComponent(id)}/clicked`));
  }

  async #markAll() {
    await this.#post(this.#address("read-all", { through: this.#seq }));
  }

  async #post(url) {
    const response = await fetch(url, { method: "POST", keepalive: true }).catch(() => null);
    if (!response?.ok) this.#part("[aria-live]").textContent = "Not marked: the inbox does not answer.";
  }

  async #filter() {
    this.#unreadOnly = !this.#unreadOnly;
    this.#part(".filter").setAttribute("aria-pressed", this.#unreadOnly);
    this.#part(".filter").textContent = this.#unreadOnly ? "Show all" : "Unread only";
    this.#start();
  }

  async #older() {
    const load = this.#load;
    const page = await this.#page(this.#next);
    if (!page || load !== this.#load) return;
    for (const item of page.notifications) this.#items.set(item.id, item);
    this.#next = page.next ?? null;
    this.#draw();
  }

  #key(event) {
    if (event.key === "Escape" && !this.hasAttribute("inline")) {
      this.toggle(false);
      this.#part(".bell").focus();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const items = [...this.#root.querySelectorAll(".open")];
    const index = items.indexOf(this.#root.activeElement?.closest(".item")?.querySelector(".open"));
    if (!step || index < 0) return;
    event.preventDefault();
    items[Math.min(Math.max(index + step, 0), items.length - 1)].focus();
  }

  #visible = () => this.#see();

  #outside = (event) => {
    if (!event.composedPath().includes(this)) this.toggle(false);
  };
}

customElements.define("tidings-inbox", TidingsInbox);
