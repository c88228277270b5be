// A toast goes by itself after a while, unless somebody is about to use it.
const toast = document.querySelector(".toast");

if (toast) {
  const leave = () => {
    if (toast.matches(":hover, :focus-within")) setTimeout(leave, 5_000);
    else toast.hidden = true;
  };
  setTimeout(leave, 12_000);
}
