// Editing in place: a click on a value asks the server for its control. The row and the cell say
// which fact it is, so that a list of 500 cells carries no addresses.
const edit = (b) => {
  const td = b.closest("td[data-f]"), row = td?.closest("tr[data-id]"), table = td?.closest("table[data-edit]");
  if (!table) return;
  htmx.ajax("GET", `${table.dataset.edit}${row.dataset.id}/field/${td.dataset.f}/?edit=1`, { target: td, swap: "outerHTML" });
};
document.addEventListener("click", (e) => {
  const b = e.target.closest("td.cell > .cv, td.cell > .pen");
  if (b) edit(b);
});
