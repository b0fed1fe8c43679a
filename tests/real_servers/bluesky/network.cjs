// Starts Bluesky's PLC, PDS, AppView and labeler on loopback, says READY with their addresses, and stops on SIGTERM.
//
// Environment: PDS_PORT is the address the PDS believes to have (a proxy of ours listens there), PDS_LISTENS_ON the
// port it really takes; DB_POSTGRES_URL and REDIS_HOST serve the AppView; TMPDIR keeps repositories and pictures.
"use strict";

const net = require("node:net");

const pdsPort = Number(process.env.PDS_PORT);
const pdsListensOn = Number(process.env.PDS_LISTENS_ON);

// Left alone, these servers bind every interface, and the PDS the port it advertises.
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (where, ...rest) {
  if (typeof where === "number") {
    return listen.call(this, where === pdsPort ? pdsListensOn : where, "127.0.0.1", ...rest);
  }
  if (where !== null && typeof where === "object" && "port" in where) {
    return listen.call(this, { host: "127.0.0.1", ...where }, ...rest);
  }
  return listen.call(this, where, ...rest);
};

const { TestNetwork } = require("@atproto/dev-env");

async function main() {
  const appviewPort = Number(process.env.APPVIEW_PORT);
  const network = await TestNetwork.create({
    dbPostgresUrl: process.env.DB_POSTGRES_URL,
    dbPostgresSchema: "dev", // letters and underscores only
    pds: { port: pdsPort, hostname: "localhost", enableDidDocWithSession: true },
    bsky: { port: appviewPort, publicUrl: `http://localhost:${appviewPort}` },
  });
  for (const mailer of [network.pds.ctx.mailer, network.pds.ctx.moderationMailer]) {
    mailer.transporter.sendMail = async (mail) => console.log("MAIL", mail.to, mail.subject); // nothing leaves here
  }
  console.log("READY", JSON.stringify({ plc: network.plc.url, pds: network.pds.url, appview: network.bsky.url }));

  const stop = () => network.close().finally(() => process.exit(0));
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
