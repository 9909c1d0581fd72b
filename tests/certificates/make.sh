#!/bin/sh
# The certificates and keys beside this script, anew. They are for tests alone; nobody is to trust them.
set -eu
cd "$(dirname "$0")"
days=36500
key() { openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$1.key"; }
names=subjectAltName=DNS:localhost,IP:127.0.0.1
for name in server renewed; do
	key "$name"
	openssl req -x509 -key "$name.key" -out "$name.pem" -days $days -subj "/CN=$name" -addext "$names"
done
openssl pkcs8 -topk8 -in server.key -out encrypted.key -passout pass:secret
key ca
openssl req -x509 -key ca.key -out ca.pem -days $days -subj "/CN=penstock tests" \
	-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
key client
openssl req -new -key client.key -subj "/C=IT/O=Penstock/CN=client" |
	openssl x509 -req -CA ca.pem -CAkey ca.key -set_serial 2 -days $days -out client.pem
rm ca.key
