// Fetches the page again and replaces what changes. The search field above stays as it is.
'use strict';
const EVERY = 2000;

async function refresh() {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href, { cache: 'no-store' });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const fresh = page.getElementById('live');
    const old = document.getElementById('live');
    if (!fresh || fresh.innerHTML === old.innerHTML) return;
    // Whoever reads or copies a text, or is on a link, is not disturbed.
    const selected = String(getSelection()) !== '' || old.contains(document.activeElement);
    if (!selected) old.replaceWith(document.adoptNode(fresh));
  } catch {
    // The service is gone for the moment; the next turn tries again.
  }
}

setInterval(refresh, EVERY);
document.addEventListener('visibilitychange', refresh);
