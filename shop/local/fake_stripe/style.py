"""The style sheet of the hosted pages and the dashboard."""

STYLE = """
:root { --ink: #1a1f36; --soft: #545b6b; --line: #d9dee6; --blue: #2f5bea; --blue-dark: #2348c0; --red: #b3172e;
  --wash: #f5f7fa; }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  color: var(--ink); background: #fff; }
h1, h2, h3, p, ul, dl { margin: 0; padding: 0; }
a { color: var(--blue-dark); }
a:focus-visible, button:focus-visible, input:focus-visible, summary:focus-visible {
  outline: 3px solid #8aa6ff; outline-offset: 2px; }
.ribbon { background: #ffdf8c; color: #4a2d00; text-align: center; padding: .4rem 1rem; font-size: .875rem; }
.ribbon strong { text-transform: uppercase; letter-spacing: .06em; margin-right: .5rem; }

.summary, .payment { padding: 1.5rem 1.25rem 2rem; }
.summary { background: var(--wash); border-bottom: 1px solid var(--line); }
.back { display: inline-block; margin-bottom: 1.25rem; color: var(--soft); text-decoration: none; font-size: .9375rem; }
.back:hover { text-decoration: underline; }
.summary h1 { font-size: 1rem; font-weight: 500; color: var(--soft); }
.total { display: block; font-size: 2.25rem; line-height: 1.25; font-weight: 650; color: var(--ink);
  letter-spacing: -.02em; font-variant-numeric: tabular-nums; }
.lines { list-style: none; margin: 1.5rem 0 0; display: grid; gap: 1rem; }
.lines li { display: grid; grid-template-columns: 48px 1fr auto; gap: .875rem; align-items: start; }
.picture { width: 48px; height: 48px; border-radius: 8px; border: 1px solid var(--line); background: #fff;
  object-fit: cover; display: grid; place-items: center; font-weight: 600; color: var(--soft); }
.name, .about, .amount { display: block; overflow-wrap: anywhere; }
.name { font-weight: 550; }
.about { font-size: .875rem; color: var(--soft); font-weight: 400; }
.amount { font-weight: 550; text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.totals { margin-top: 1.25rem; border-top: 1px solid var(--line); }
.totals div { display: flex; justify-content: space-between; gap: 1rem; padding: .75rem 0 0; color: var(--soft); }
.totals dd { margin: 0; font-variant-numeric: tabular-nums; white-space: nowrap; }
.totals .due { margin-top: .75rem; border-top: 1px solid var(--line); color: var(--ink); font-weight: 650; }
.shipping { margin-top: 1.5rem; display: grid; gap: .5rem; }
.shipping h2 { font-size: .9375rem; }
.shipping button { display: flex; justify-content: space-between; font: inherit; color: inherit; background: #fff;
  border: 1px solid var(--line); border-radius: 8px; padding: .625rem .875rem; min-height: 44px; cursor: pointer; }
.shipping button[aria-pressed=true] { border-color: var(--blue); box-shadow: inset 0 0 0 1px var(--blue); }

.payment h2 { font-size: 1.25rem; margin-bottom: 1rem; letter-spacing: -.01em; }
.payment form { display: grid; gap: 1rem; }
fieldset { border: 0; margin: 0; padding: 0; display: grid; gap: 1rem; min-width: 0; }
legend { padding: 0; margin-bottom: .75rem; font-weight: 600; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; align-items: start; }
.field label { display: block; font-size: .875rem; font-weight: 500; margin-bottom: .25rem; }
.field input { width: 100%; font: inherit; color: inherit; background: #fff; border: 1px solid #8b93a5;
  border-radius: 8px; padding: .625rem .75rem; min-height: 46px; }
.field input::placeholder { color: #6b7280; }
.field input[aria-invalid=true] { border-color: var(--red); box-shadow: inset 0 0 0 1px var(--red); }
.field-wrong { color: var(--red); font-size: .875rem; margin-top: .25rem; }
.known { display: flex; flex-wrap: wrap; gap: 0 1rem; justify-content: space-between; border: 1px solid var(--line);
  border-radius: 8px; padding: .625rem .75rem; background: var(--wash); overflow-wrap: anywhere; }
.known span { color: var(--soft); }
.known strong { font-weight: 550; }
.tick label { display: flex; gap: .625rem; align-items: center; min-height: 32px; }
.tick input { width: 20px; height: 20px; margin: 0; }
.button { display: inline-block; font: inherit; font-weight: 600; text-align: center; text-decoration: none;
  color: #fff; background: var(--blue); border: 1px solid var(--blue); border-radius: 8px; padding: .75rem 1.25rem;
  min-height: 48px; cursor: pointer; }
.button:hover { background: var(--blue-dark); border-color: var(--blue-dark); }
.button.quiet { color: var(--ink); background: #fff; border-color: #8b93a5; }
.button.quiet:hover { background: var(--wash); }
.pay { width: 100%; font-size: 1.0625rem; }
.wrong { border: 1px solid #e7b3bb; border-left: 4px solid var(--red); background: #fdf3f4; border-radius: 8px;
  padding: .875rem 1rem; }
.alert-area { background: var(--wash); padding: 1rem 1.25rem 0; }
.wrong h2 { font-size: 1rem; color: var(--red); }
.wrong ul { padding-left: 1.125rem; }
.wrong a { color: var(--red); }
.fine { margin-top: 1rem; font-size: .8125rem; color: var(--soft); text-align: center; }
.cards { margin-top: 1.25rem; border: 1px solid var(--line); border-radius: 8px; font-size: .875rem; }
.cards summary { padding: .75rem 1rem; font-weight: 600; cursor: pointer; }
.cards p { padding: 0 1rem .5rem; color: var(--soft); }
.cards table { width: 100%; border-collapse: collapse; }
.cards th, .cards td { text-align: left; padding: .375rem 1rem; border-top: 1px solid var(--line); }
code { font: .8125rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; white-space: nowrap; }

.narrow { max-width: 480px; margin: 0 auto; padding: 2rem 1.25rem; }
.card { border: 1px solid var(--line); border-radius: 12px; padding: 1.75rem 1.5rem; display: grid; gap: .875rem;
  box-shadow: 0 6px 24px rgb(26 31 54 / 8%); }
.card h1 { font-size: 1.375rem; line-height: 1.3; }
.eyebrow { font-size: .8125rem; color: var(--soft); }
.facts { border: 1px solid var(--line); border-radius: 8px; }
.facts div { display: flex; justify-content: space-between; gap: 1rem; padding: .625rem .875rem; }
.facts div + div { border-top: 1px solid var(--line); }
.facts dt { color: var(--soft); }
.facts dd { margin: 0; font-weight: 550; text-align: right; overflow-wrap: anywhere; }
.answers { display: grid; gap: .75rem; }

.board { max-width: 1120px; margin: 0 auto; padding: 1.5rem 1.25rem 3rem; }
.board h1 { font-size: 1.5rem; }
.board h2 { font-size: 1.0625rem; margin: 2rem 0 .5rem; }
.board .scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; }
.board table { width: 100%; border-collapse: collapse; font-size: .875rem; }
.board th, .board td { text-align: left; padding: .5rem .75rem; white-space: nowrap; }
.board th { background: var(--wash); color: var(--soft); font-weight: 550; }
.board tr + tr td, .board tbody td { border-top: 1px solid var(--line); }
.board .empty { color: var(--soft); }
.tag { display: inline-block; border-radius: 999px; padding: 0 .625rem; font-size: .8125rem; background: #e8ebf1; }
.tag.good { background: #d6f2e0; color: #0b4d27; }
.tag.bad { background: #fbdfe3; color: #7d1020; }
.tag.wait { background: #fff0c7; color: #5c3d00; }

@media (min-width: 900px) {
  .checkout { display: grid; grid-template: "order alert" auto "order payment" 1fr / 1fr 1fr;
    min-height: calc(100vh - 2.2rem); }
  .alert-area { grid-area: alert; background: none; padding: 3.5rem 4rem 0; }
  .alert-area > * { max-width: 440px; }
  .summary { grid-area: order; border-bottom: 0; border-right: 1px solid var(--line); padding: 3.5rem 4rem 3rem;
    display: flex; flex-direction: column; align-items: flex-end; }
  .summary > * { width: 100%; max-width: 420px; }
  .payment { grid-area: payment; padding: 3.5rem 4rem 3rem; }
  .alert-area ~ .payment { padding-top: 1.75rem; }
  .payment > * { max-width: 440px; }
  .narrow { padding-top: 5rem; }
}
"""
