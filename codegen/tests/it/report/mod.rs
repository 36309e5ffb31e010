//! `kilter report`: the page in a real browser, and what a pull request changes in words.

mod browser;
mod change;
mod page;
mod past;
