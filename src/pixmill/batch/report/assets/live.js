// The server sends the parts of the page that have changed. They are merged into the existing ones, so that open details,
// slider positions and the reading position are preserved.
const PRESERVED = new Set(["open", "style"]);

const morph = (old, fresh) => {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeName !== fresh.nodeName || old.id !== fresh.id) { old.replaceWith(fresh); return; }
  if (old.nodeType !== Node.ELEMENT_NODE) { old.nodeValue = fresh.nodeValue; return; }
  for (const { name, value } of [...fresh.attributes]) {
    if (!PRESERVED.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (!PRESERVED.has(name) && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  morphChildren(old, fresh);
};

const morphChildren = (old, fresh) => {
  const byId = new Map([...old.children].filter(({ id }) => id).map((child) => [child.id, child]));
  let next = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    const same = child.id ? byId.get(child.id) : next?.id ? null : next;
    if (!same) { old.insertBefore(child, next); continue; }
    if (same === next) next = next.nextSibling; else old.insertBefore(same, next);
    morph(same, child);
  }
  while (next) { const following = next.nextSibling; next.remove(); next = following; }
};

const spoken = document.getElementById("spoken");
const lost = document.getElementById("lost");
let version = Number(document.querySelector("meta[name=pixmill-version]").content);

const show = (change) => {
  version = change.version;
  for (const [name, markup] of Object.entries(change.parts)) {
    const template = document.createElement("template");
    template.innerHTML = markup; // safe: the server escapes names, and the policy of this page allows no other script
    morphChildren(document.querySelector(`[data-part="${name}"]`), template.content);
  }
  document.title = `pixmill: ${change.title}`;
  if (spoken.textContent !== change.spoken) spoken.textContent = change.spoken;
};

const pause = (seconds) => new Promise((resolve) => { setTimeout(resolve, 1000 * seconds); });
const visible = () => new Promise((resolve) => { document.addEventListener("visibilitychange", resolve, { once: true }); });

const follow = async () => {
  let lastUpdate = new Date();
  for (;;) {
    while (document.hidden) await visible();
    try {
      const answer = await fetch(`state?after=${version}`, { cache: "no-store", signal: AbortSignal.timeout(10_000) });
      if (!answer.ok) throw new Error(answer.statusText);
      const change = await answer.json();
      show(change);
      lastUpdate = new Date();
      lost.textContent = "";
      if (change.is_over) return;
    } catch {
      lost.textContent = `The run has ended or cannot be reached. This page shows its state at ${lastUpdate.toLocaleTimeString()}.`;
      await pause(2);
    }
  }
};
follow();
