// Command local-kms serves the API of AWS KMS by the module of the same name, on one address.
package main

import (
	"flag"
	"log"
	"net/http"

	kms "github.com/nsmithuk/local-kms/src"
	"github.com/nsmithuk/local-kms/src/config"
	"github.com/nsmithuk/local-kms/src/data"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:4599", "where to listen")
	flag.StringVar(&config.AWSRegion, "region", "eu-west-1", "region of the keys")
	flag.StringVar(&config.AWSAccountId, "account", "111122223333", "account of the keys")
	flag.StringVar(&config.DatabasePath, "data", "", "an empty directory")
	flag.Parse()
	database := data.NewDatabase(config.DatabasePath)
	log.Fatal(http.ListenAndServe(*addr, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kms.HandleRequest(w, r, database)
	})))
}
