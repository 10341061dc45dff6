// The page around the inbox: the chooser, the list of inboxes that changed lately, the form for an event.

const byID = (id) => document.getElementById(id);
const inbox = document.querySelector("tidings-inbox");

// "tenant/id" names a recipient of a tenant; ids hold no slash.
function parse(text) {
  const slash = text.indexOf("/");
  return slash < 0
    ? { tenant: "default", recipient: text }
    : { tenant: text.slice(0, slash), recipient: text.slice(slash + 1) };
}

function chosen() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";
  }
}

function show() {
  const text = chosen();
  const { tenant, recipient } = parse(text);
  const isChosen = recipient !== "";
  inbox.hidden = !isChosen;
  byID("welcome").hidden = isChosen;
  byID("recipient").value = text;
  if (isChosen) {
    inbox.setAttribute("tenant", tenant);
    inbox.setAttribute("recipient", recipient);
    byID("event-recipient").value = recipient;
  }
  showRecent();
}

// A failed request is silent here: the list is tried again, and the inbox itself says that it has no connection.
async function showRecent() {
  const response = await fetch("api/v1/recipients?limit=20").catch(() => null);
  if (!response?.ok) return;
  const { recipients } = await response.json();
  byID("nobody").hidden = recipients.length > 0;
  byID("known").replaceChildren(...recipients.map((entry) => new Option(name(entry))));
  const focused = document.activeElement?.closest?.("#recent a")?.hash;
  byID("recent").replaceChildren(...recipients.map((entry) => {
    const link = document.createElement("a");
    link.href = "#" + encodeURIComponent(name(entry));
    if (name(entry) === chosen()) link.setAttribute("aria-current", "true");
    const label = document.createElement("span");
    label.textContent = name(entry);
    label.title = name(entry);
    link.append(label);
    if (entry.unread > 0) {
      const count = document.createElement("span");
      count.className = "count";
      count.textContent = entry.unread > 999 ? "999+" : entry.unread;
      count.setAttribute("aria-label", `${entry.unread} unread`);
      link.append(count);
    }
    const item = document.createElement("li");
    item.append(link);
    return item;
  }));
  if (focused) [...byID("recent").querySelectorAll("a")].find((link) => link.hash === focused)?.focus();
}

function name({ tenant, recipient }) {
  return tenant === "default" ? recipient : `${tenant}/${recipient}`;
}

// crypto.randomUUID exists on https and localhost only.
function newID() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function publish(submission) {
  submission.preventDefault();
  const status = byID("published");
  const recipients = byID("event-recipient").value.split(",").map((id) => id.trim()).filter(Boolean);
  const { tenant } = parse(chosen());
  const event = {
    specversion: "1.0", id: newID(), source: "tidings/page", type: byID("event-type").value.trim(),
    time: new Date().toISOString(), recipients: recipients.join(","), datacontenttype: "application/json",
    data: { title: byID("event-title").value },
  };
  if (tenant !== "default") event.tenant = tenant;
  if (byID("event-actor").value.trim()) event.actor = byID("event-actor").value.trim();
  if (byID("event-url").value.trim()) event.data.url = byID("event-url").value.trim();
  status.classList.remove("wrong");
  status.textContent = "Publishing …";
  try {
    const response = await fetch("api/v1/events", {
      method: "POST", headers: { "content-type": "application/cloudevents+json" }, body: JSON.stringify(event),
    });
    if (!response.ok) throw new Error((await response.json().catch(() => ({}))).detail ?? response.statusText);
    status.textContent = `Published as ${event.id.slice(0, 8)}….`;
  } catch (error) {
    status.classList.add("wrong");
    status.textContent = `Not published: ${error.message}`;
  }
}

byID("chooser").addEventListener("submit", (event) => {
  event.preventDefault();
  location.hash = encodeURIComponent(byID("recipient").value.trim());
  byID("inbox").focus();
});
byID("event").addEventListener("submit", publish);
inbox.addEventListener("change", () => showRecent());
addEventListener("hashchange", show);
setInterval(() => { if (!document.hidden) showRecent(); }, 3000);
fetch("api/v1").then((response) => response.json()).then(({ publish: canPublish }) => {
  byID("publish").hidden = !canPublish;
}).catch(() => {});
show();
