// The page's own behaviour: where to look after an answer, and the choice of light or dark.
const finopsPage = {
  key: "finops-look",
  asked: 0,
  // A new question goes to the top of the window, with its answer below it.
  follow() {
    const asked = document.querySelectorAll("#talk .question").length;
    if (asked > finopsPage.asked) finopsPage.show();
    finopsPage.asked = asked;
  },
  show() {
    const asked = document.querySelectorAll("#talk .question");
    requestAnimationFrame(() => asked[asked.length - 1]?.scrollIntoView({ block: "start" }));
  },
  // After an answer a keyboard goes on in the box; on a phone it would cover the answer.
  answered() {
    finopsPage.show();
    if (matchMedia("(hover: hover)").matches) finopsPage.focus();
  },
  focus() {
    document.querySelector("#box textarea")?.focus({ preventScroll: true });
  },
  look() {
    const dark = document.body.classList.toggle("dark");
    try { localStorage.setItem(finopsPage.key, dark ? "dark" : "light"); } catch { /* private window */ }
  },
  restore() {
    let wanted = null;
    try { wanted = localStorage.getItem(finopsPage.key); } catch { /* private window */ }
    if (wanted) document.body.classList.toggle("dark", wanted === "dark");
  },
};
addEventListener("load", () => {
  setTimeout(finopsPage.restore, 0);
  new MutationObserver(finopsPage.follow).observe(document.body, { childList: true, subtree: true });
});
