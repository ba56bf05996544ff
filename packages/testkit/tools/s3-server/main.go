// Command s3-server serves the S3 API of `rclone serve s3` over an empty store in memory. Signatures (version 4) are checked.
package main

import (
	"flag"
	"log"
	"net/http"

	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:9000", "where to listen")
	accessKey := flag.String("access-key", "", "the one user's key; without it, everybody may do everything")
	secretKey := flag.String("secret-key", "", "the secret of that key")
	cert := flag.String("cert", "", "certificate file; with it, TLS is served")
	key := flag.String("key", "", "key file of the certificate")
	flag.Parse()
	options := []gofakes3.Option{}
	if *accessKey != "" {
		options = append(options, gofakes3.WithV4Auth(map[string]string{*accessKey: *secretKey}))
	}
	handler := gofakes3.New(s3mem.New(), options...).Server()
	if *cert != "" {
		log.Fatal(http.ListenAndServeTLS(*addr, *cert, *key, handler))
	}
	log.Fatal(http.ListenAndServe(*addr, handler))
}
