export const STYLESHEET = `
:root {
  color-scheme: light dark;
  --ground: #f7f7f5; --card: #ffffff; --ink: #1d2328; --soft: #5a646d; --line: #d9dcdf;
  --accent: #1f5f8b; --on-accent: #ffffff; --warn: #8a4b08; --warn-ground: #fdf3e2; --done: #e6f2ea; --grave: #a3241c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #15191d; --card: #1d2328; --ink: #e6e9ec; --soft: #a3adb6; --line: #39424a;
    --accent: #8cc3ea; --on-accent: #10202c; --warn: #f0c07a; --warn-ground: #33291a; --done: #1d3327; --grave: #ff9d92;
  }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif }
main { max-width: 46rem; margin: 0 auto; padding: 1.75rem 1rem 4rem }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .5rem }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .75rem }
h3 { font-size: 1rem; margin: 0 0 .5rem; min-width: 0 }
h3 code { font-weight: 700 }
h3 .soft, h2.entry .soft, h3 .soft code, h2.entry .soft code { font-weight: normal }
h2.entry code { font-weight: 700 }
h2.entry { font-size: 1rem; margin: 0 0 .5rem; min-width: 0 }
p { margin: .5rem 0 }
h1, h2, h3, p, dd, code { overflow-wrap: anywhere }
a { color: var(--accent) }
code { font: .9em ui-monospace, monospace }
.who { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: center; color: var(--soft) }
.who form { margin: 0 }
main > .who { margin: .25rem 0 1.25rem; justify-content: space-between }
main > p > .button { margin-top: .5rem }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem 1.1rem; margin: 0 0 .9rem }
.card > :first-child, .card > form > :first-child { margin-top: 0 }
.card > :last-child { margin-bottom: 0 }
.ask { border-color: var(--accent); border-width: 2px }
.ended { background: none }
.soft { color: var(--soft) }
.grave { color: var(--grave) }
.consent { display: grid; grid-template-columns: minmax(0, 1fr) auto; column-gap: 1rem }
.consent > * { grid-column: 1 / -1 }
.consent > h3, .consent > h2 { grid-column: 1 }
.consent > form { grid-column: 2; grid-row: 1; margin: 0 }
.consent > dl:last-of-type { margin-bottom: 0 }
details { margin: 2.25rem 0 0 }
details.help { margin: .25rem 0 }
details.help > summary { font-size: 1rem; font-weight: normal; color: var(--accent); margin: 0 }
summary { font-size: 1.15rem; font-weight: 700; cursor: pointer; margin: 0 0 .75rem; padding: .25rem 0 }
.status { background: var(--done); border-radius: .5rem; padding: .6rem .9rem; margin: .75rem 0 }
.changed { background: var(--warn-ground); border-left: 4px solid var(--warn); border-radius: .3rem; padding: .6rem .9rem; margin: .75rem 0 }
dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .3rem 1rem; margin: .25rem 0 .75rem }
dt { color: var(--soft) }
dd { margin: 0; min-width: 0 }
blockquote { margin: .25rem 0; padding: .25rem .8rem; border-left: 3px solid var(--line); max-height: 16rem; overflow: auto; overflow-wrap: anywhere }
blockquote p { margin: 0; min-height: .75rem; white-space: pre-wrap }
fieldset { border: 1px solid var(--line); border-radius: .5rem; margin: .9rem 0; padding: .4rem .9rem .7rem; min-width: 0 }
legend { padding: 0 .35rem; font-weight: 600 }
label { display: block; padding: .25rem 0 }
.field { margin: .9rem 0 }
.field label { font-weight: 600 }
input[type='text'], select { width: 100%; max-width: 100%; font: inherit; color: inherit; background: var(--card); border: 1px solid var(--soft); border-radius: .4rem; padding: .5rem .6rem }
input[type='radio'] { width: 1.1rem; height: 1.1rem; vertical-align: -.15rem; margin: 0 .4rem 0 0; accent-color: var(--accent) }
.actions { display: flex; flex-wrap: wrap; gap: .6rem 1rem; align-items: center; margin-top: 1rem }
button, .button { font: inherit; font-weight: 600; min-height: 2.75rem; padding: .5rem 1.1rem; border-radius: .5rem; border: 1px solid var(--accent); background: var(--accent); color: var(--on-accent); cursor: pointer; text-decoration: none; display: inline-block }
button.quiet, .button.quiet { background: none; color: var(--accent) }
button.danger { background: var(--grave); border-color: var(--grave); color: var(--on-accent) }
button.small { min-height: 2.25rem; padding: .25rem .8rem }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
@media (max-width: 30rem) {
  dl { grid-template-columns: 1fr; gap: 0 }
  dd { margin-bottom: .5rem }
  .ask button, .ask .button { width: 100%; text-align: center }
  .consent > h3 { grid-column: 1 / -1 }
  .consent > form { grid-column: 1 / -1; grid-row: auto; margin-top: .25rem }
}
`
