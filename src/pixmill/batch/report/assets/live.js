// The server sends the parts of the page that have changed. They are brought into those that are there, so that whatever
// somebody has opened, moved or is reading stays as it is.
const KEPT = new Set(["open", "style"]);

const morph = (old, fresh) => {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeName !== fresh.nodeName || old.id !== fresh.id) { old.replaceWith(fresh); return; }
  if (old.nodeType !== Node.ELEMENT_NODE) { old.nodeValue = fresh.nodeValue; return; }
  for (const { name, value } of [...fresh.attributes]) {
    if (!KEPT.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (!KEPT.has(name) && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  morphChildren(old, fresh);
};

const morphChildren = (old, fresh) => {
  const known = new Map([...old.children].filter(({ id }) => id).map((child) => [child.id, child]));
  let at = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    const same = child.id ? known.get(child.id) : at?.id ? null : at;
    if (!same) { old.insertBefore(child, at); continue; }
    if (same === at) at = at.nextSibling; else old.insertBefore(same, at);
    morph(same, child);
  }
  while (at) { const next = at.nextSibling; at.remove(); at = next; }
};

const spoken = document.getElementById("spoken");
const lost = document.getElementById("lost");
let version = Number(document.querySelector("meta[name=pixmill-version]").content);

const show = (change) => {
  version = change.version;
  for (const [name, markup] of Object.entries(change.parts)) {
    const template = document.createElement("template");
    template.innerHTML = markup; // names in it are text: the server wrote them so, and the policy of this page lets no other script run
    morphChildren(document.querySelector(`[data-part="${name}"]`), template.content);
  }
  document.title = `pixmill: ${change.title}`;
  if (spoken.textContent !== change.spoken) spoken.textContent = change.spoken;
};

const pause = (seconds) => new Promise((resolve) => { setTimeout(resolve, 1000 * seconds); });
const shown = () => new Promise((resolve) => { document.addEventListener("visibilitychange", resolve, { once: true }); });

const follow = async () => {
  let seen = new Date();
  for (;;) {
    while (document.hidden) await shown();
    try {
      const answer = await fetch(`state?after=${version}`, { cache: "no-store", signal: AbortSignal.timeout(10_000) });
      if (!answer.ok) throw new Error(answer.statusText);
      const change = await answer.json();
      show(change);
      seen = new Date();
      lost.textContent = "";
      if (change.is_over) return;
    } catch {
      lost.textContent = `The run has ended, or cannot be reached any more. This is how it was at ${seen.toLocaleTimeString()}.`;
      await pause(2);
    }
  }
};
follow();
