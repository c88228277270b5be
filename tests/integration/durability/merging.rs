//! In: kill -9 while the rows of a merged or split issue are on their way, and other nodes that digest meanwhile. Out: after
//! the restart all is where it belongs, counted once.
