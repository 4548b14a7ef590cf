pub mod date;
pub mod html;
pub mod http;
pub mod mail;
pub mod server;
pub mod settings;
pub mod text;
