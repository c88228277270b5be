//! Pages for those who run the server. In: a superuser's session; for everybody else there is nothing here. Out: how the server is.

pub mod storage;
