// A webhook as Twilio's documentation shows it: Express, the twilio middleware, one row in SQLite before the answer.
// Arguments: the database's path. Prints its port.
const express = require('express')
const twilio = require('twilio')
const { DatabaseSync } = require('node:sqlite')

const db = new DatabaseSync(process.argv[2])
db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE inbox (sid TEXT PRIMARY KEY, sender TEXT, receiver TEXT, body TEXT, at INTEGER)`)
const insert = db.prepare('INSERT OR IGNORE INTO inbox VALUES (?, ?, ?, ?, ?)')

const app = express()
app.disable('x-powered-by')
const signed = twilio.webhook(process.env.TWILIO_TOKEN, { url: process.env.PUBLIC_URL })
app.post('/sms', express.urlencoded({ extended: false }), signed, (req, res) => {
  const { MessageSid, From, To, Body } = req.body
  insert.run(MessageSid, From, To, Body, Date.now())
  res.type('text/xml').send('<Response></Response>')
})
const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port))
