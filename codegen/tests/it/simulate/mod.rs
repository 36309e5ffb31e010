//! `kilter simulate` and the evaluator behind it.

mod command;
mod promtool;
mod workbook;
