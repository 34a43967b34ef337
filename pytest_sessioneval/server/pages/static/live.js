// Fetches the page again while what it shows is still changing, and swaps that part in.
"use strict";

const INTERVAL_MS = 2000;

function live() {
  return document.querySelector("[data-live]");
}

function swap(old, fresh) {
  if (old.innerHTML === fresh.innerHTML && fresh.hasAttribute("data-live")) {
    return;
  }
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const target = focused && focused.getAttribute("href");
  old.replaceWith(fresh);
  const again = target && fresh.querySelector(`[href="${CSS.escape(target)}"]`);
  if (again) {
    again.focus({ preventScroll: true });
  }
}

async function refresh() {
  const old = live();
  if (!old) {
    return;
  }
  if (!document.hidden) {
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.getElementById(old.id);
        if (fresh) {
          swap(old, document.adoptNode(fresh));
        }
      }
    } catch {
      // The server is away: what was known stays, and the next time may do.
    }
  }
  setTimeout(refresh, INTERVAL_MS);
}

if (live()) {
  setTimeout(refresh, INTERVAL_MS);
}
